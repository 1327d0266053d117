"""Sections of a study's settings. May import statistics and errors."""
