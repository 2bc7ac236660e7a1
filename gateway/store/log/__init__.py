"""The transparency log on disk, its checkpoints, those of others, and what must be trusted."""
