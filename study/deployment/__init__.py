"""Ready-to-use models: MLflow models, model folders, ONNX, coloured files.

May import comparison, cli, backend and what they may import.
"""
