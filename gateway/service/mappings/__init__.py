"""Mappings: found, tried, approved by their maintainers, published."""
