"""The way to witnesses (C2SP tlog-witness)."""

from typing import Final

from gateway.peers.fetching import Fetcher
from gateway.ports import WitnessAnswer

__all__ = ["HttpWitnesses"]

ANSWER_BYTES_MAX: Final = 64 * 1024  # some signature lines


class HttpWitnesses(Fetcher):
    """Witnesses over HTTP (:class:`gateway.ports.WitnessPeers`)."""

    def add_checkpoint(self, url: str, body: bytes) -> WitnessAnswer:
        """Send an add-checkpoint request to the witness at a submission prefix."""
        where = f"{url.rstrip('/')}/add-checkpoint"
        return WitnessAnswer(*self.fetch("POST", where, bytes_max=ANSWER_BYTES_MAX, content=body))
