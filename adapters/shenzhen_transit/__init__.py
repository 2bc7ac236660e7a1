"""Shenzhen's transit cards (深圳通): taps of metro and bus as the open-data platform publishes them."""

from adapters.shenzhen_transit.adapter import ShenzhenTransitAdapter

__all__ = ["ShenzhenTransitAdapter"]
