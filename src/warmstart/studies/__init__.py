"""Studies: arms x tasks x seeds, the claims that they carry, and verdicts on these."""
