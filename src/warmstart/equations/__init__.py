"""Arrays in, arrays out; one function is one numbered equation of a paper."""
