"""From a study's events to MLflow, and back; with deployment the only room that imports mlflow.

May import search, settings and storage.
"""
