"""Frozen values, closed codes, strict reading and canonical bytes: what everything else speaks in."""
