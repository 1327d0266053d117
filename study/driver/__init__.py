"""Conducts a study from its settings to its report. May import every room but the commands."""
