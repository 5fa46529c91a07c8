"""Hunt for raw errors: networks' files are mutated at random, and every one must be read or refused in a sentence.

    python -m tests.hunt_networks [--cases 3000] [--seed 0] [--kind onnx]

Each case is a whole file with some bytes changed, cut out, doubled or replaced by another's. It is read in this
process; an exception that is none of Relucert's, more than 10 s, or more than 300 MB above the start is a failure.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
import warnings

import numpy as np
import torch
from torch import nn

import relucert_core as rc

KINDS = {"onnx": "n.onnx", "pth": "n.pth", "nnet": "n.nnet", "safetensors": "n.safetensors"}
SECONDS, MEGABYTES = 10.0, 300.0
OPTIONS = {"onnx": {}, "pth": {"activation": "relu"}, "nnet": {"best": "min"}, "safetensors": {"activation": "relu"}}


def whole_files() -> dict[str, list[bytes]]:
    """A few small files of each kind."""
    from safetensors.torch import save

    from tests.importers.test_door import NNET
    from tests.importers.test_onnx import HAND_MADE

    torch.manual_seed(0)
    chain = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    data = io.BytesIO()
    torch.save(chain.state_dict(), data)
    return {
        "onnx": [model.SerializeToString() for model in HAND_MADE.values()],
        "pth": [data.getvalue()],
        "nnet": [NNET.encode()],
        "safetensors": [save(dict(chain.state_dict()))],
    }


def mutated(rng: np.random.Generator, data: bytes, others: list[bytes]) -> bytes:
    """The file with one to four mutations."""
    found = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        place, kind = int(rng.integers(len(found) + 1)), rng.integers(7)
        length = int(rng.integers(1, 40))
        if kind == 0:
            found[place : place + 1] = bytes([int(rng.integers(256))])
        elif kind == 1 and place < len(found):
            found[place] ^= 1 << int(rng.integers(8))
        elif kind == 2:
            del found[place : place + length]
        elif kind == 3:
            found[place:place] = found[place : place + length]
        elif kind == 4:
            other = others[int(rng.integers(len(others)))]
            start = int(rng.integers(len(other)))
            found[place : place + length] = other[start : start + length]
        elif kind == 5:
            found[place:place] = rng.choice([b"\xff" * 8, b"999999999", b"-1", b"nan", b"1e999", b"\x00" * 9, b"inf,"])
        else:
            del found[place:]
        if not found:
            break
    return bytes(found)


def peak() -> float:
    """The largest memory of this process so far, in MB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def hunt(kind: str, cases: int, seed: int) -> tuple[int, int, list[str]]:
    """(read, refused, failures) of so many mutated files."""
    rng, files = np.random.default_rng(seed), whole_files()[kind]
    for data in files:
        rc.read_network(data, name=KINDS[kind], **OPTIONS[kind])  # imports, and the whole ones are read
    start, read, refused, failures = peak(), 0, 0, []
    for case in range(cases):
        data, begun = mutated(rng, files[int(rng.integers(len(files)))], files), time.process_time()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                rc.read_network(data, name=KINDS[kind], **OPTIONS[kind])
            read += 1
        except rc.RelucertError as error:
            refused += 1
            if not 10 < len(str(error)) < 500:
                failures.append(f"{kind} {seed} {case}: a sentence of {len(str(error))} characters")
        except Exception as error:
            failures.append(f"{kind} {seed} {case}: {type(error).__name__}: {str(error)[:100]}")
        if time.process_time() - begun > SECONDS:
            failures.append(f"{kind} {seed} {case}: {time.process_time() - begun:.1f} s")
        if peak() - start > MEGABYTES:
            failures.append(f"{kind} {seed} {case}: {peak() - start:.0f} MB")
            start = peak()
    return read, refused, failures


def main() -> int:
    """Hunt and print the totals; 1 when there was a failure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=tuple(KINDS), action="append")
    arguments = parser.parse_args()
    bad = 0
    for kind in arguments.kind or KINDS:
        read, refused, failures = hunt(kind, arguments.cases, arguments.seed)
        print(f"{kind}: {read} read, {refused} refused, {len(failures)} failures", *failures[:20], sep="\n  ")
        bad += len(failures)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
