"""Benchmarks: run by hand, never imported."""
