"""Bulk work: columns and sorting outside of memory."""
