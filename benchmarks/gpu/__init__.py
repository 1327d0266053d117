"""A GPU day: correctness and speed of everything that runs on a CUDA card, in one command of less than nine minutes."""
