"""The command line: nouns, then verbs. Data go to stdout, everything else to stderr."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit code."""
    from gateway.cli.root import run

    sys.exit(run(sys.argv[1:]))
