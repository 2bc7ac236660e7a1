"""Maintainers for tests, and versions of Wuhan's travel rules for them to sign."""

import json
from pathlib import Path
from typing import Any

from gateway.app.base.mappings import shipped_programs
from gateway.model.canonical import canonical_bytes, digest
from gateway.service.mappings.approving import approve
from gateway.signing import Signer, key_id
from tests.fakes.homes import WUHAN
from tests.fakes.serving import PlatformSigner

GIVEN = {"distance_km": "10.574", "start_time": "2025-03-16T08:00:00+08:00", "trip_type": "metro"}


class MaintainerKey(PlatformSigner):
    """A maintainer's key, in memory."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.key_id = key_id(self.public, "maintainer")


LI, WANG, ZHAO, STRANGER = (MaintainerKey(seed) for seed in (101, 102, 103, 104))
MAINTAINERS = {"li": LI, "wang": WANG, "zhao": ZHAO}


def name_maintainers(home: Path, quorum: int = 2, **keys: MaintainerKey) -> None:
    """Write down who maintains the mappings of a home: li, wang and zhao if nobody is named."""
    named = keys or MAINTAINERS
    listed = [{"name": name, "public": key.public.hex()} for name, key in named.items()]
    rules = {"type": "tanqiao/maintainers/1", "quorum": quorum, "maintainers": listed}
    (home / "trust/maintainers.json").write_text(json.dumps(rules))


def version_three(
    title: str = "Two points a gram", *, points: str = "1658", since: str = "2025-03-10", **changes: Any
) -> bytes:
    """Write a third version of Wuhan's travel rules: from 2025-03-10 a gram is worth two points."""
    second = next(one for one in shipped_programs("cn-420100-wuhan/travel.v2"))
    document = json.loads(second.canonical)
    document |= {"version": "3", "supersedes": "2"} | changes
    document["effective"]["from"] = since
    document["title"]["en"] = title
    document["factors"]["points_per_gram"]["values"][0]["value"] = "2"
    document["tests"] = [{"name": "two points a gram", "given": GIVEN, "expect": {"points": points}}]
    return canonical_bytes(document)


def named(text: bytes) -> str:
    """Return the digest of a version."""
    return digest(text)


def signed_by(text: bytes, *signers: Signer, identity: tuple[str, int] = (WUHAN, 3)) -> bytes:
    """Write a publication with the signatures of some maintainers."""
    data = b""
    for signer in signers:
        data = approve(text, identity, signer=signer, before=data)
    return data
