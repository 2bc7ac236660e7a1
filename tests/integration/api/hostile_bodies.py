"""Bodies that are no submission, each by the clause of RFC 8259 that it breaks, or by what it tries to do."""

from collections.abc import Iterator

from tests.fakes.homes import WUHAN

__all__ = [
    "EVENT",
    "HALF_PAIRS",
    "NAUGHTY_TEXTS",
    "NOT_JSON",
    "NOT_OBJECTS",
    "NOT_SUBMISSIONS",
    "PERSON",
    "within",
]

EVENT = "WH-SECRET-770077"
PERSON = "user-secret-770077"

NOT_JSON: dict[str, bytes] = {
    # section 3: values
    "a literal in capitals": b'{"a": True}',
    "nil": b'{"a": nil}',
    "undefined": b'{"a": undefined}',
    "not a number": b'{"a": NaN}',
    "infinity": b'{"a": Infinity}',
    "minus infinity": b'{"a": -Infinity}',
    "half a literal": b'{"a": tru}',
    "a literal too long": b'{"a": nulll}',
    # section 2: structure and white space
    "a comma at the end of an object": b'{"a": 1,}',
    "a comma at the end of an array": b'{"a": [1,]}',
    "a comma at the beginning": b'{"a": [,1]}',
    "two commas": b'{"a": [1,,2]}',
    "no comma": b'{"a": [1 2]}',
    "no colon": b'{"a" 1}',
    "two colons": b'{"a":: 1}',
    "an equals sign": b'{"a" = 1}',
    "no end of an object": b'{"a": 1',
    "no end of an array": b'{"a": [1}',
    "brackets crossed": b'{"a": [1}]',
    "a vertical tab between": b'{"a":\x0b1}',
    "a form feed between": b'{"a":\x0c1}',
    "a no-break space between": b'{"a":\xc2\xa01}',
    "an ideographic space between": b'{"a":\xe3\x80\x801}',
    "a zero byte between": b'{"a":\x001}',
    "a line comment": b'{"a": 1 // one\n}',
    "a block comment": b'{"a": /* one */ 1}',
    "a hash comment": b'{"a": 1 # one\n}',
    # section 4: names
    "a name without quotes": b"{a: 1}",
    "a name that is a number": b"{1: 1}",
    "a name in single quotes": b"{'a': 1}",
    "no value": b'{"a"}',
    "only a value": b"{: 1}",
    # section 6: numbers
    "a zero in front": b'{"a": 01}',
    "a plus": b'{"a": +1}',
    "no digit before the point": b'{"a": .5}',
    "no digit after the point": b'{"a": 1.}',
    "no digit in the exponent": b'{"a": 1e}',
    "only a minus": b'{"a": -}',
    "two minuses": b'{"a": --1}',
    "hexadecimal": b'{"a": 0x1F}',
    "octal": b'{"a": 0o17}',
    "underscores": b'{"a": 1_000}',
    "full-width digits": '{"a": １２}'.encode(),
    "a comma for a point": b'{"a": 1,5}',
    # section 7: strings
    "a tab in a text": b'{"a": "x\ty"}',
    "a line feed in a text": b'{"a": "x\ny"}',
    "a carriage return in a text": b'{"a": "x\ry"}',
    "a zero byte in a text": b'{"a": "x\x00y"}',
    "an escape character in a text": b'{"a": "x\x1by"}',
    "an unknown escape": b'{"a": "\\x41"}',
    "a short escape of a character": b'{"a": "\\u12"}',
    "an escape of no character": b'{"a": "\\uZZZZ"}',
    "no end of a text": b'{"a": "x}',
    "a backslash at the end": b'{"a": "x\\"}',
    "single quotes": b"{\"a\": 'x'}",
    "typographic quotes": '{"a": “x”}'.encode(),
    # section 8.1: encoding
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "UTF-8 that is cut": b'{"a": "\xe7\xa2"}',
    "UTF-8 that is longer than needed": b'{"a": "\xc0\xaf"}',
    "half of a surrogate pair in bytes": b'{"a": "\xed\xa0\x80"}',
    "beyond Unicode": b'{"a": "\xf4\x90\x80\x80"}',
    "GBK": '{"a": "地铁"}'.encode("gbk"),
}
"""Texts in the place of one act; none of them is JSON."""

HALF_PAIRS: dict[str, bytes] = {
    "the first half of a pair": b'{"a": "\\ud83d"}',
    "the second half of a pair": b'{"a": "\\ude00"}',
    "a pair the wrong way round": b'{"a": "\\ude00\\ud83d"}',
}

NOT_OBJECTS: dict[str, bytes] = {
    "a number": b"1",
    "a huge number": b"9" * 100_000,
    "a huge exponent": b"1e999999999",
    "a text": b'"x"',
    "nothing": b"null",
    "a list": b"[{}]",
    "deep lists": b"[" * 500 + b"]" * 500,
}

_ACT = b'{"trip_id": "%s", "user_id": "%s"}' % (EVENT.encode(), PERSON.encode())
_GOOD = b'{"mapping": "%s", "acts": [%s]}' % (WUHAN.encode(), _ACT)
NOT_SUBMISSIONS: dict[str, bytes] = {
    "nothing at all": b"",
    "white space": b" \n\t ",
    "a byte order mark": b"\xef\xbb\xbf" + _GOOD,
    "UTF-16": _GOOD.decode().encode("utf-16"),
    "UTF-32": _GOOD.decode().encode("utf-32"),
    "two documents": _GOOD + _GOOD,
    "something behind": _GOOD + b"x",
    "a zero byte behind": _GOOD + b"\x00",
    "cut in the middle": _GOOD[:-10],
    "only zero bytes": bytes(4096),
    "every byte": bytes(range(256)),
    "a list": b"[%s]" % _ACT,
    "the mapping twice": _GOOD.replace(b"{", b'{"mapping": "other", ', 1),
    "the mapping twice, the second last": _GOOD[:-1] + b', "mapping": "%s"}' % WUHAN.encode(),
    "the acts twice": _GOOD[:-1] + b', "acts": []}',
    "the acts twice, one of them escaped": _GOOD[:-1] + b', "\\u0061cts": [%s]}' % _ACT,
    "a member more": _GOOD[:-1] + b', "admin": true}',
    "a member __proto__": _GOOD[:-1] + b', "__proto__": {"a": 1}}',
    "the acts as a text": b'{"mapping": "%s", "acts": "%s"}' % (WUHAN.encode(), EVENT.encode()),
    "the acts as an object": b'{"mapping": "%s", "acts": {"0": %s}}' % (WUHAN.encode(), _ACT),
    "the mapping as a number": b'{"mapping": 1, "acts": [%s]}' % _ACT,
    "the mapping as a path": b'{"mapping": "../../etc/passwd", "acts": [%s]}' % _ACT,
    "the mapping as SQL": b'{"mapping": "x\'; DROP TABLE operations; --", "acts": [%s]}' % _ACT,
    "a zero byte in the mapping": b'{"mapping": "\\u0000", "acts": [%s]}' % _ACT,
    "half a pair in the mapping": b'{"mapping": "\\ud800", "acts": [%s]}' % _ACT,
    "a million brackets": b"[" * 1_000_000,
    "a million objects": b'{"a":' * 150_000,
    "compressed": b"\x1f\x8b\x08\x00" + _GOOD,
    "XML with an entity": b'<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>',
    "a form": b"mapping=x&acts=y",
}
"""Whole bodies; none of them is a document with a mapping and acts."""

NAUGHTY_TEXTS: dict[str, str] = {
    "empty": "",
    "a space": " ",
    "SQL": "'; DROP TABLE operations; --",
    "script": "<script>alert(1)</script>",
    "a path": "../../../../etc/passwd",
    "a template": "{{7*7}}${7*7}#{7*7}%(a)s%s%n",
    "a lookup": "${jndi:ldap://127.0.0.1/a}",
    "a formula": "=cmd|' /C calc'!A0",
    "line ends": "a\r\nSet-Cookie: x=1",
    "right to left": "\u202egnp.exe",
    "zero width": "a\u200bb\u2060c\ufeff",
    "a zero character": "a\x00b",
    "beyond the first plane": "𠮷野家😀",
    "many marks on one letter": "Z" + "\u0351\u036b\u0343" * 40,
    "a line separator": "a\u2028b\u2029c\x85d",
    "no character": "\ufffe\uffff",
    "long": "长" * 20_000,
    "a number too large": "9" * 4_400,
    "an escape sequence": "\x1b[2J\x1b]0;x\x07",
}


def within(act: bytes) -> Iterator[bytes]:
    """Yield requests with this in the place of an act: alone, and between good ones."""
    yield b'{"mapping": "%s", "acts": [%s]}' % (WUHAN.encode(), act)
    yield b'{"mapping": "%s", "acts": [%s, %s, %s]}' % (WUHAN.encode(), _ACT, act, _ACT)
