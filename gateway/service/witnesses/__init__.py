"""Witnesses: the own log is witnessed, logs of others are witnessed and watched."""
