"""The schemes of a running gateway: those it was started with, and what its maintainers publish meanwhile."""

from collections.abc import Sequence
from typing import NamedTuple

from gateway.app.base.mappings import Approved, with_approved
from gateway.convert import Program
from gateway.errors import NotFound
from gateway.service.acts.scheme import Scheme
from gateway.service.mappings.catalogue import scheme_of

__all__ = ["Schemes"]


class _Made(NamedTuple):
    """What was made of the versions that were approved at some moment."""

    approved: Sequence[Program]
    programs: Sequence[Program]
    versions: dict[str, list[Program]]
    schemes: dict[str, Scheme]


class Schemes:
    """The schemes of this gateway, by mapping id."""

    def __init__(self, given: Sequence[Program], approved: Approved) -> None:
        self._given = given
        self._approved = approved
        self._made = _made(given, approved())
        for mapping in self._made.versions:
            self._found(mapping)  # a gateway does not start with versions that contradict each other

    def programs(self) -> Sequence[Program]:
        """Return every version, also one that was published at this moment."""
        self._approved.look_again()
        return self._now().programs

    def scheme(self, mapping: str) -> Scheme:
        """Return a scheme.

        Raises:
            NotFound: there is no such mapping here.
        """
        found = self._found(mapping)
        if found is None:
            self._approved.look_again()
            found = self._found(mapping)
        if found is None:
            raise NotFound("there is no such mapping here", field="/mapping", remedy="see /v1/mappings")
        return found

    def _found(self, mapping: str) -> Scheme | None:
        made = self._now()
        if mapping not in made.schemes and mapping in made.versions:
            made.schemes[mapping] = scheme_of(made.versions[mapping])
        return made.schemes.get(mapping)

    def _now(self) -> _Made:
        approved = self._approved()
        if approved is not self._made.approved:
            self._made = _made(self._given, approved)
        return self._made


def _made(given: Sequence[Program], approved: Sequence[Program]) -> _Made:
    programs = with_approved(given, approved)
    versions: dict[str, list[Program]] = {}
    for program in programs:
        versions.setdefault(program.id, []).append(program)
    return _Made(approved, programs, versions, {})
