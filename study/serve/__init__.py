"""Photographs coloured over HTTP: a page to drop them on, and an interface for programs.

May import deployment, cli and what they may import; nobody imports it.
"""
