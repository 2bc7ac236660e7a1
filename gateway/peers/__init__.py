"""Other systems that this gateway speaks to by itself."""

from gateway.peers.log import HttpLog
from gateway.peers.witnesses import HttpWitnesses

__all__ = ["HttpLog", "HttpWitnesses"]
