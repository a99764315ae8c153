"""Policies outside of a run: what is stored of them, and how they act in NumPy alone.

Nothing here but `describe` imports JAX, so that a robot's computer needs NumPy and safetensors.
"""
