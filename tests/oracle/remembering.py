"""The same history, with its answers kept until something happens: for programmes by the hundred thousand.

What happened is only ever added to, so an answer is good until a list that it looks at has grown.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from tests.oracle.history import History

__all__ = ["Remembering"]

_Question = TypeVar("_Question", bound=Callable[..., Any])


def _kept(question: _Question) -> _Question:
    name = question.__name__

    @wraps(question)
    def answer(self: "Remembering", *about: object) -> Any:
        answers = self.answers()
        key = (name, *about)
        if key not in answers:
            answers[key] = question(self, *about)
        return answers[key]

    return cast(_Question, answer)


class Remembering(History):
    """A history that is asked each question once between two entries."""

    _known: tuple[int, ...] = ()
    _answers: dict[tuple[object, ...], Any]

    def answers(self) -> dict[tuple[object, ...], Any]:
        """Return the answers that are still good."""
        known = (len(self.journal), len(self.records), len(self.corridors), len(self.platforms))
        if known != self._known:
            self._known, self._answers = known, {}
        return self._answers

    moves = _kept(History.moves)
    decision = _kept(History.decision)
    open_moves = _kept(History.open_moves)
    committed_moves = _kept(History.committed_moves)
    uses = _kept(History.uses)
    backs = _kept(History.backs)
    lots = _kept(History.lots)
    moved_mg = _kept(History.moved_mg)
    reserved_mg = _kept(History.reserved_mg)
    bilateral = _kept(History.bilateral)
