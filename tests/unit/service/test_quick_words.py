"""What goes into a record as it stands is held to its closed sets at a quick look."""

import pytest

from gateway.ports import KeptColumns
from gateway.service.audit.quick import _NotPlain, _require_words
from tests.fakes.mappings import yunxi

PLAIN = KeptColumns(
    [0, 1], ["a", "b"], [b"l", b"m"], ["2025-03-16", "2025-03-17"], ["TRV-METRO", "TRV-BUS"], ["{}", "{}"],
    ["operator-record", "device"], ["personal", "pooled"], ["d", "d"], [1, 1], [1, 1], [1, 1], [None, None],
    [None, None], [b"e", b"e"], [b"s", b"s"], ["1", "2"], [b"x", b"x"], [b"p", b"p"], [b"y", b"y"],
    [None, None],
)  # fmt: skip


def test_rows_whose_words_are_all_known_are_plain() -> None:
    _require_words(PLAIN, [yunxi()])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("behaviour", "TRV-WALK"), ("evidence", "hearsay"), ("ownership", "shared"), ("day", "20250316"),
        ("claimed_mg", 0), ("claimed_points", 0), ("event", None), ("event_salt", None), ("person", None),
        ("subject_salt", None),
    ],
)  # fmt: skip
def test_a_row_with_another_word_or_something_erased_is_not_plain(column: str, value: object) -> None:
    rows = PLAIN._replace(**{column: [getattr(PLAIN, column)[0], value]})

    with pytest.raises(_NotPlain):
        _require_words(rows, [yunxi()])
