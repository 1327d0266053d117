"""Ray: the cluster, the Tune experiment and its simulated twin; the only room that imports ray.

May import training, tracking and what they may import.
"""
