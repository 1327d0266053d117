"""Runs a study from its settings to its end. May import every room but the commands."""
