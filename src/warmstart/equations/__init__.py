"""Floor 1: arrays in, arrays out; one function is one numbered equation of a paper."""
