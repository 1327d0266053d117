"""Runs trials on Ray, or on a simulated clock; the only room that imports ray.

May import training, tracking and what they may import.
"""
