"""Prove records to others, and work them out again."""
