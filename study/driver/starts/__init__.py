"""Weights and configurations of earlier studies that a study begins with. May import every room but the commands."""
