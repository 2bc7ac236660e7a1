"""Find a person in rows that were set aside: such rows were never understood, so their words are searched.

It errs on the side of finding: a row too many loses its fields here and can be sent again by its platform.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

import orjson

__all__ = ["Mentions"]

LONG: Final = 4  # characters from which a word is taken for a name and not for a figure or a code
_BYTE: Final = re.compile(rb"\\x([0-9a-fA-F]{2})")  # how a row that does not decode is kept
_UNIT: Final = re.compile(r"\\u([0-9a-fA-F]{4})")  # how JSON may spell a character, in rows kept as a whole


class Mentions:
    """Tells whether texts name a person: by the account, the pseudonym, or an event recorded for them."""

    def __init__(self, person: str, *, pseudonym: bytes, events: Iterable[str] = ()) -> None:
        spelled = {person.encode(), person.encode("gb18030"), pseudonym.hex().encode()}
        self._words = re.compile(b"|".join(_word(one, short=len(person) < LONG) for one in sorted(spelled)))
        self._events: defaultdict[str, list[frozenset[str]]] = defaultdict(list)
        for event in events:
            parts = _parts(event)
            longest = max(parts, key=len)
            if len(longest) >= LONG:
                self._events[longest].append(frozenset(parts))

    def named_by(self, texts: Collection[str]) -> bool:
        """Tell whether a row with these texts is about the person."""
        return self._states_event(set(texts)) or any(map(self.in_text, texts))

    def in_text(self, text: str) -> bool:
        """Tell whether a text has the person's account as a word of its own, however it is spelled."""
        return any(self._words.search(data) for data in _spellings(text))

    def _states_event(self, texts: set[str]) -> bool:
        return any(event <= texts for text in texts & self._events.keys() for event in self._events[text])


def _word(name: bytes, *, short: bool) -> bytes:
    """Return what finds a name that is not a piece of a longer one; a short one not of a figure either."""
    around = rb"[0-9A-Za-z._:/+-]" if short else rb"[0-9A-Za-z]"
    before = rb"(?<!" + around + rb")" if name[:1].isalnum() else b""
    after = rb"(?!" + around + rb")" if name[-1:].isalnum() else b""
    return before + re.escape(name) + after


def _spellings(text: str) -> Iterator[bytes]:
    """Yield a text as bytes, with escapes undone, also as if it had been read in the wrong encoding."""
    texts = {text, _UNIT.sub(lambda unit: chr(int(unit[1], 16)), text)}
    for one in texts:
        for encoding in ("utf-8", "gb18030"):
            data = one.encode(encoding, "replace")
            yield _BYTE.sub(lambda byte: bytes([int(byte[1], 16)]), data)
    if "%" in text:
        yield unquote_to_bytes(text)


def _parts(event: str) -> tuple[str, ...]:
    """Return the columns that an event's name was made of."""
    if event.startswith("["):
        try:
            parts = orjson.loads(event)
        except orjson.JSONDecodeError:
            return (event,)
        if isinstance(parts, list) and parts and all(isinstance(part, str) for part in parts):
            return tuple(parts)
    return (event,)
