"""Tanqiao (碳桥): the gateway between carbon-inclusion platforms."""

__version__ = "0.1.0"
