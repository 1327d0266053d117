"""What a study may be told, from file, environment and flags; where its folder lies.

May import statistics and errors.
"""
