"""Where checkpoints, weights and pictures of trials are kept. May import statistics and errors."""
