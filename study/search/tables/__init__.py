"""Optuna's tables in the ledger's database, written and read without an object mapper.

May import what `study.search` may.
"""
