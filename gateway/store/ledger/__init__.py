"""Books of transfers, in groups of steps, and what is on its way to platforms."""
