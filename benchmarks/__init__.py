"""Measurements of speed, each a ratio taken side by side in one run; `python -m benchmarks` lists them."""
