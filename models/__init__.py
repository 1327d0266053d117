"""Networks, losses, learners, metrics and the training loop; knows nothing of Ray, Optuna or MLflow."""
