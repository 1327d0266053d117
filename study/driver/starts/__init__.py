"""What a run begins with: weights and configurations of earlier studies, events that were lost.

May import every room but the commands.
"""
