"""Trains trials on a worker. May import search, settings and storage."""
