"""What all commands share: exit codes, common options, signals.

May import tracking, training and what they may import.
"""
