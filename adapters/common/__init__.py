"""The common formats: CSV, one JSON object per line, Parquet, as the mapping's source.format says."""

from adapters.common.adapter import CommonAdapter

__all__ = ["CommonAdapter"]
