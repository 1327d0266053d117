"""The interface for notebooks, which `import study` gives. May import everything but the commands."""
