"""Requests to other systems: where they may go, and how they are sent."""

from gateway.peers.addresses import AddressRefused, Target, addresses, read_target
from gateway.peers.posting import Poster

__all__ = ["AddressRefused", "Poster", "Target", "addresses", "read_target"]
