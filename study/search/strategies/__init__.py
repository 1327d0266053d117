"""Optuna's samplers and pruners as a study uses them.

May import what `study.search` may.
"""
