"""The composition root: the only place where parts are chosen and joined, and the clock is read."""
