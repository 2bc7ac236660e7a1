"""Play many runs of the simulation: ``python -m tests.simulation --seeds 20000 --from 0``."""

import argparse
import sys
import time
from collections import Counter

from tests.simulation.run import simulate
from tests.simulation.world import Violation


def main() -> int:
    """Play the runs, print each violation with its seed, then what happened in all; 1 if any was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=20_000)
    parser.add_argument("--from", dest="first", type=int, default=0)
    asked = parser.parse_args()
    seen: Counter[str] = Counter()
    figures: Counter[str] = Counter()
    began = time.process_time()
    for seed in range(asked.first, asked.first + asked.seeds):
        try:
            report = simulate(seed)
        except Violation as violation:
            figures["violations"] += 1
            print(violation)
            continue
        seen += report.seen
        figures.update(points=report.points, packets=report.packets, crashes=report.crashes)
    print(f"{asked.seeds} runs in {time.process_time() - began:.1f} s of processor time, {dict(figures)}")
    print(" ".join(f"{name}={times}" for name, times in sorted(seen.items())))
    return 1 if figures["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
