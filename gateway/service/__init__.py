"""Use cases: one module for each thing a user asks for."""
