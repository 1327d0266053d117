"""How far studies are, read beside their drivers. May import everything but the other commands."""
