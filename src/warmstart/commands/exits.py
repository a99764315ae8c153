"""Floor 8: exit codes, beside 0."""

FOUND_ERRORS = 1
"""A check of a dataset found an error in it, or one of a method a law that does not hold."""
WRONG = 2
"""Something that the user can mend; one line on standard error says what."""
STOPPED = 130
"""Interrupted by the user, and saved."""
