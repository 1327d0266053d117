"""Two studies side by side. May import everything but the other commands."""
