"""What a worker does with a trial. May import search, settings and storage."""
