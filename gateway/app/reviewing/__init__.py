"""Mappings and adapters as they are reviewed, compared, published and tried."""
