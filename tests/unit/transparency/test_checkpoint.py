"""Checkpoints: three lines, each in its only spelling."""

import pytest

from gateway.transparency import EMPTY_ROOT, Checkpoint, MalformedLogText, read_checkpoint

EXAMPLE = b"example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
EMPTY = b"log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


def test_the_checkpoint_of_the_specification_is_read_and_written() -> None:
    checkpoint = read_checkpoint(EXAMPLE)

    assert (checkpoint.origin, checkpoint.tree_size) == ("example.com/behind-the-sofa", 20_852_163)
    assert checkpoint.root_hash.hex().startswith("0ac5186a")
    assert bytes(checkpoint) == EXAMPLE


@pytest.mark.parametrize(
    "text",
    [
        EMPTY,
        EXAMPLE + b"extension\n",
        EXAMPLE + b"two\nlines\n",
        EXAMPLE.replace(b"example", "碳桥".encode()),
    ],
)
def test_other_checkpoints_survive_the_way_in_and_out(text: bytes) -> None:
    assert bytes(read_checkpoint(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        b"",
        EXAMPLE[:-1],
        EXAMPLE + b"\n",
        b"\n" + EXAMPLE,
        EXAMPLE.replace(b"20852163", b"020852163"),
        EXAMPLE.replace(b"20852163", b"+20852163"),
        EXAMPLE.replace(b"20852163", b"2_0"),
        EXAMPLE.replace(b"20852163", b" 20852163"),
        EXAMPLE.replace(b"20852163", "２".encode()),
        EXAMPLE.replace(b"20852163", b"9223372036854775808"),
        EXAMPLE.replace(b"20852163", b""),
        EXAMPLE.replace(b"2I=", b"2J="),
        EXAMPLE.replace(b"2I=", b"2I"),
        EXAMPLE.replace(b"CsUY", b"Cs_Y"),
        EXAMPLE.replace(b"CsUY", b""),
        EXAMPLE.replace(b"20852163", b"0"),
        EXAMPLE.replace(b"sofa", b"so\xfffa"),
        b"log.example\n3\n",
    ],
)
def test_a_text_that_is_no_checkpoint_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedLogText):
        read_checkpoint(text)


@pytest.mark.parametrize(
    ("origin", "size", "root", "extensions"),
    [
        ("", 0, EMPTY_ROOT, ()),
        ("a\nb", 0, EMPTY_ROOT, ()),
        ("a", -1, EMPTY_ROOT, ()),
        ("a", 1, b"", ()),
        ("a", 0, EMPTY_ROOT, ("",)),
    ],
)
def test_a_checkpoint_that_could_not_be_read_back_cannot_be_made(
    origin: str, size: int, root: bytes, extensions: tuple[str, ...]
) -> None:
    with pytest.raises(MalformedLogText):
        Checkpoint(origin, size, root, extensions)
