"""Environments: opening, spaces and units, packages that depart from the rules."""
