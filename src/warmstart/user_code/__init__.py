"""Code of the user's own: what may run, and how it is imported."""
