"""Other systems that this gateway speaks to by itself."""

from gateway.peers.addresses import AddressRefused, Target, addresses, read_target
from gateway.peers.log import HttpLog
from gateway.peers.posting import Poster
from gateway.peers.witnesses import HttpWitnesses

__all__ = ["AddressRefused", "HttpLog", "HttpWitnesses", "Poster", "Target", "addresses", "read_target"]
