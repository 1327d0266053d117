"""The comparison report. May import comparison, cli, backend and what they may import."""
