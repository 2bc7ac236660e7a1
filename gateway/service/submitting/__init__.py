"""Take what platforms send, and keep it until its turn has come."""
