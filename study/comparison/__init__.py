"""Chooses winners and makes the summary table. May import tracking, training and what they may import."""
