"""Hunt for raw errors of the readers on mutated files.

    python -m tests.hunt_files --cases 3000 --seed 1 [--reader csv]

Prints for each reader how many were read and refused, and every fault; exits 1 if there was one.
"""

from __future__ import annotations

import argparse
import sys

from tests.mutations import READERS, hunt


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", choices=tuple(READERS), action="append")
    arguments = parser.parse_args()
    faults = 0
    for name in arguments.reader or READERS:
        found = hunt(name, arguments.cases, arguments.seed)
        print(
            f"{name}: {arguments.cases:,} files, {found.read:,} read, {found.refused:,} refused, "
            f"{len(found.faults)} faults, slowest {found.slowest:.2f} s",
            flush=True,
        )
        print("\n".join(found.faults[:10]), flush=True)
        faults += len(found.faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
