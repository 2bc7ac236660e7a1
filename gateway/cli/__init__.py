"""The command line: nouns, then verbs. Data go to stdout, everything else to stderr."""

import io
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit code."""
    from gateway.cli.root import run

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows no Chinese shows escapes
    sys.exit(run(sys.argv[1:]))
