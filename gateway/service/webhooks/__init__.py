"""Platforms are told of what has happened."""
