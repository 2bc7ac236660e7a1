"""A process of its own that converts in small parts; the parent kills it at a random moment.

Arguments: ``--worker`` to convert by two processes, home, rows of a part, adapter, mapping, files.
"""

import json
import resource
import signal
import sys
from pathlib import Path

from gateway.cli.output import exit_code, report
from gateway.cli.root import run
from gateway.errors import GatewayError
from gateway.service.acts.submission import summary_document
from tests.fakes.homes import convert_in_parts

FILE_BYTES_FLAG, WORKER_FLAG = "--file-bytes", "--worker"


def main(arguments: list[str]) -> int:
    """Convert, or run a command of the command line (``run`` …), perhaps under a limit of file sizes."""
    if arguments[0] == FILE_BYTES_FLAG:
        limit = int(arguments[1])
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        arguments = arguments[2:]
    if arguments[0] == "run":
        return run(arguments[1:])
    worker = arguments[0] == WORKER_FLAG
    home, part_rows, adapter, mapping, *files = arguments[worker:]
    try:
        summary = convert_in_parts(
            Path(home),
            [Path(file) for file in files],
            int(part_rows),
            mapping=mapping,
            adapter=adapter,
            worker=worker,
        )
    except GatewayError as error:
        report(error)
        return exit_code(error)
    sys.stdout.write(json.dumps(summary_document(summary)))
    return 0


if __name__ == "__main__":
    # a shell that runs the tests in the background has its children ignore interrupts
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
