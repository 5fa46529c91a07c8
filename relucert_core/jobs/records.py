"""Records of the best known bounds as lines of a run: those that ship, one that a reader takes away, and their check.

A record is a certificate's line (`schema`), so that `relucert check` verifies it: network and point by their digests,
the witness in a proven forward pass, its distance in rational arithmetic, and the lower bound against it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from relucert_core.certificates.result import EXACT, LOWER_BOUND, OK, proved_share
from relucert_core.citation import made_by
from relucert_core.errors import InvalidInput
from relucert_core.experiments.best_known import BestKnown, content, improved
from relucert_core.experiments.records import hardware, today
from relucert_core.files import write_whole
from relucert_core.jobs.lines import FORMAT, Line, encoded, packed_point, read_lines, unpacked_point
from relucert_core.network import Network, as_points
from relucert_core.norms import check_norm
from relucert_core.paths import RECORDS
from relucert_core.words import norm_name

if TYPE_CHECKING:
    from relucert_core.arrays import Norm, Numbers

METHOD = "best-known"
RUN = "0" * 12  # records belong to no run
_PERSONAL = "point"
Key = tuple[str, str, float]


def best_known(
    net: Network, x: Numbers, norm: Norm = 2, *, max_seconds: float | None = 20.0, starts: Numbers | None = None
) -> BestKnown:
    """The largest proved radius and the nearest adversarial point known of x, one point (D,), each with its method.

    requires: norm 1, 2 or inf. returns: the record that ships for this network, point and norm, if there is one; else
    what is found within `max_seconds`: in norm 2 by the exact search, else by the walk over neighbouring regions.
    starts: (S, D) points of other classes for the attacks.
    guarantee: lower <= exact radius <= upper; the witness is proved adversarial.
    Raises InvalidInput for a batch, or a bad point, norm or budget.
    """
    order = check_norm(norm)
    points, single = as_points(net, x)
    if not single:
        raise InvalidInput(f"best_known takes one point ({net.inputs},); a batch of {len(points)} came.")
    point = points[0].cpu().numpy()
    stored = shipped_records(net.digest).get(content(net, point, order))
    if stored is not None:
        return stored
    *_, last = improved(net, point, order, max_seconds=max_seconds, starts=starts)
    return last


@lru_cache(maxsize=16)
def shipped_records(digest: str) -> Mapping[Key, BestKnown]:
    """The records that ship for the network of that digest, by their content; none for other networks."""
    for path in sorted(RECORDS.glob("*.jsonl")):
        first = next(read_lines(path), None)
        if first is not None and first.entry is not None and first.entry.get("digest") == digest:
            return {record.key: record for record in read_records(path)}
    return {}


def read_records(path: Path) -> list[BestKnown]:
    """The records of a file. Raises InvalidInput, with the line, for what is none."""
    found = []
    for line in read_lines(path):
        try:
            if line.entry is None or line.entry["method"] != METHOD or line.entry["format"] != FORMAT:
                raise ValueError
            found.append(_record(line.entry))
        except (KeyError, TypeError, ValueError, InvalidInput):
            raise InvalidInput(f"{path.name}, line {line.number} is no record of the best known bounds.") from None
    return found


def write_records(path: Path, lines: list[Line]) -> None:
    """Write the lines of records, in the order of their images, in one move."""
    write_whole(path, encoded(sorted(lines, key=lambda line: (line["index"], line["norm"]))))


def record_line(
    known: BestKnown, network: str, command: str, *, index: int = 0, name: str = "", label: int | None = None,
    point: np.ndarray | None = None,
) -> Line:  # fmt: skip
    """A record as a line: `network` as it was named, `command` that makes it again, index and name in the data.

    label: the class of the data (None: not known). point: (D,), kept in the line where no data set has it.
    """
    infinite = known.lower == math.inf
    line = {
        "format": FORMAT, "index": index, "image": f"{name}#{known.image}", "label": label, "network": network,
        "digest": known.digest, "method": METHOD, "norm": norm_name(known.norm), "run": RUN, "kind": "certificate",
        "radius": known.lower, "guarantee": EXACT if known.exact else LOWER_BOUND,
        "status": OK if infinite else ("exact" if known.exact else "best known"), "prediction": known.label,
        "against": known.label, "limit": None, "upper": known.upper, "ratio": proved_share(known.lower, known.upper),
        "parts": {"lower_by": known.lower_by, "upper_by": known.upper_by}, "seconds": known.seconds,
        "date": today(), "hardware": hardware(), **made_by(command),
    }  # fmt: skip
    line |= {} if known.witness is None else {"witness": packed_point(known.witness)}
    return line if point is None else line | {_PERSONAL: packed_point(point)}


def record_json(line: Line) -> str:
    """One record as a file of one line, which `relucert check` reads."""
    return encoded([line]).decode()


def points_of(path: Path, inputs: int) -> np.ndarray | None:
    """The points (B, inputs) that the lines of a file carry, in their order; None when one of them carries none."""
    points = []
    for line in read_lines(path):
        if line.entry is None or _PERSONAL not in line.entry:
            return None
        points.append(unpacked_point(line.entry[_PERSONAL], inputs))
    return np.stack(points) if points else None


def _record(entry: Line) -> BestKnown:
    lower = math.inf if entry["radius"] is None and entry["status"] == OK else float(entry["radius"])
    upper = math.inf if entry["upper"] is None else float(entry["upper"])
    packed: Any = entry.get("witness")
    witness = None
    if packed is not None:
        witness = unpacked_point(packed, _floats_in(packed))
        witness.flags.writeable = False
    parts = entry["parts"]
    return BestKnown(
        str(entry["digest"]), str(entry["image"])[-16:], check_norm(entry["norm"]), int(entry["against"]), lower, upper,
        str(parts["lower_by"]), str(parts["upper_by"]), witness, float(entry["seconds"] or 0.0), stored=True,
    )  # fmt: skip


def _floats_in(packed: str) -> int:
    """How many float64 numbers a base64 word holds."""
    return (len(packed) * 3 // 4 - packed[-2:].count("=")) // 8
