"""Claims killed at any step: after the next command the same records count as if nothing had happened.

``TANQIAO_KILLS`` stops at every single step; otherwise at some of them.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from gateway.app.base import home as app_home
from gateway.app.records import claims as app_claims
from gateway.errors import Refused
from gateway.store.files.keyed import KeyedFiles
from tests.fakes.claims import NOON, PLATFORMS, At, counting, linked_home, seen, submit
from tests.fakes.forgetting import copied
from tests.fakes.homes import audited, rows_of
from tests.fakes.stopping import killed_at

EVERY = 1 if "TANQIAO_KILLS" in os.environ else 15
A, B, C = PLATFORMS
PERSONS = ("an", "bo")
FIRST, SECOND = {(B, f"b-{who}") for who in PERSONS}, {(A, f"a-{who}") for who in PERSONS}
LAST = {(C, f"c-{who}") for who in PERSONS}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make a home in which an act of B holds, one of C stands beside it, and a closed day is to come."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app_home, "SystemClock", lambda: At(NOON))
        home = linked_home(tmp_path_factory.mktemp("claims"), patch, PERSONS)
        submit(home, B, [seen(f"b-{who}", who, 20, 50) for who in PERSONS])
        submit(home, C, [seen(f"c-{who}", who, 40, 70) for who in PERSONS])
        assert counting(home) == FIRST
        yield home


def displace(home: Path) -> None:
    submit(home, A, [seen(f"a-{who}", who, 0, 30) for who in PERSONS], part_rows=1)


def withdraw(home: Path) -> None:
    for row in rows_of(home):
        if str(row.event).startswith("b-"):
            with suppress(Refused):  # it was withdrawn before
                app_claims.withdraw(home, row.id)


def close(home: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app_home, "SystemClock", lambda: At(NOON + timedelta(days=3)))
        app_claims.close(home, "2025-03-10")


@pytest.mark.parametrize(
    ("work", "expected"),
    [(displace, SECOND | LAST), (withdraw, LAST), (close, FIRST)],
    ids=["an act displaces another", "a withdrawal", "a close"],
)
def test_what_was_killed_ends_as_if_it_had_never_been(
    made: Path, tmp_path: Path, work: Callable[[Path], None], expected: set[tuple[str, str]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app_home, "SystemClock", lambda: At(NOON))
        (tmp_path / "whole").mkdir()
        whole = copied(made, tmp_path / "whole", patch)
        steps = killed_at(0, partial(work, whole), (KeyedFiles, "adopt"))
        assert steps > 3
        for step in range(1, steps + 1, EVERY):
            (tmp_path / f"{step}").mkdir()
            home = copied(made, tmp_path / f"{step}", patch)
            killed_at(step, partial(work, home), (KeyedFiles, "adopt"))
            work(home)

            assert counting(home) == expected, step
            assert audited(home).differences == [], step
