"""Checks behind `make check` that no package offers."""
