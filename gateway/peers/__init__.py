"""Other systems that this gateway speaks to by itself."""

from gateway.peers.addresses import AddressRefused, Target, addresses, read_target
from gateway.peers.identity import ProviderKeys
from gateway.peers.log import HttpLog
from gateway.peers.platform_line import LineLimits, LineParts
from gateway.peers.platforms import HttpPlatforms
from gateway.peers.posting import Poster
from gateway.peers.witnesses import HttpWitnesses

__all__ = [
    "AddressRefused",
    "HttpLog",
    "HttpPlatforms",
    "HttpWitnesses",
    "LineLimits",
    "LineParts",
    "Poster",
    "ProviderKeys",
    "Target",
    "addresses",
    "read_target",
]
