"""Translations of platforms' own documents; each adapter is found by entry point."""
