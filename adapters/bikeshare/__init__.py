"""Bike sharing: the trips and stations that operators publish, each in a format of its own."""

from adapters.bikeshare.adapter import BikeshareAdapter

__all__ = ["BikeshareAdapter"]
