"""The home folder and its stores: database, record files, log, checkpoints."""
