"""What an agent wraps: translation between a model and a backend, nothing else."""
