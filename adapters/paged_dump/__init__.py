"""Dumps of a mini-program's pages of acts, one answer of the API a line (an assumed format)."""

from adapters.paged_dump.adapter import PagedDumpAdapter

__all__ = ["PagedDumpAdapter"]
