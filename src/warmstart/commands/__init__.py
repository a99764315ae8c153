"""Floor 8: what each command of the command line does."""
