"""Sandbox cities, the demo on them, and trials of the platforms of others."""
