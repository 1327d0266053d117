"""Drawn image sets that come with the software."""
