"""Samplers and pruners that a study may name, and what others must know of each. May import statistics and errors."""
