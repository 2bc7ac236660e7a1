"""Fuzz one target for some seconds: ``python -m tests.fuzz TARGET --seconds N``.

Needs the dependency group ``fuzz`` (``make fuzz`` installs it). The corpus is kept between runs, below
``.fuzz`` if no other folder is named; an input that breaks the property is kept beside it.
"""

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gateway", "adapters"]):
    from tests.fuzz.targets import TARGETS, TREES, run

from tests.acceptance.documents import ROOT
from tests.fuzz.seeds import seeds, words
from tests.fuzz.trees import changed

INPUT_BYTES_MAX = 64 * 1024
SECONDS_PER_INPUT = 25
MEMORY_MB = 2048


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", type=Path, help="the folder of what was found to be of interest")
    return parser.parse_args()


def _fill(corpus: Path, target: str) -> None:
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in seeds(target):
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)


def _mutate(data: bytes, size: int, seed: int) -> bytes:
    """Change the tree every other time, the bytes otherwise."""
    made = changed(data, size, seed=seed) if seed % 2 else None
    return bytes(atheris.Mutate(data, size)) if made is None else made


def main() -> None:
    """Fuzz until the time is over or an input breaks the property."""
    given = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        corpus = given.corpus or ROOT / ".fuzz" / given.target / "corpus"
        _fill(corpus, given.target)
        dictionary = Path(folder) / "words"
        quoted = ("".join(f"\\x{octet:02x}" for octet in word) for word in words(given.target))
        dictionary.write_text("".join(f'"{word}"\n' for word in quoted if word))
        options = [
            f"-max_total_time={given.seconds}",
            f"-max_len={INPUT_BYTES_MAX}",
            f"-timeout={SECONDS_PER_INPUT}",
            f"-rss_limit_mb={MEMORY_MB}",
            f"-dict={dictionary}",
            f"-artifact_prefix={corpus.parent}/{given.target}-",
            "-print_final_stats=1",
            str(corpus),
        ]
        more = {"custom_mutator": _mutate} if given.target in TREES else {}
        atheris.Setup([sys.argv[0], *options], lambda data: run(given.target, data), **more)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
