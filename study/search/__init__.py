"""Which trials exist, which comes next and when one is stopped; the only room that imports optuna.

May import settings and storage.
"""
