"""Puts the observations of the original comparison to the test. May import reporting and what it may import."""
