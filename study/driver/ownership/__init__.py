"""A study owns what it writes, and one driver runs it. May import every room but the commands."""
