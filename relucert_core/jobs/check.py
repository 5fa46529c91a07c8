"""Verify the lines of a run without trusting the run: identities, witnesses, and every lower against every upper bound.

A witness is evaluated again, with a proven forward error or in rational arithmetic, and its distance is compared in
rational arithmetic. A lower bound cannot be proved from its line; it is held against every distance that is proved.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from relucert_core.errors import InvalidInput
from relucert_core.jobs.lines import FORMAT, Line, point_digest, read_lines, unpacked_point
from relucert_core.jobs.schema import line_schema
from relucert_core.jobs.tasks import CERTIFICATE
from relucert_core.network import Network
from relucert_core.norms import check_norm
from relucert_core.witness import proved_adversarial


@dataclass
class Findings:
    """What a check found: counts, sentences about damaged lines, and false claims. `good`: nothing is false or lost."""

    lines: int = 0
    images: int = 0
    witnesses: int = 0
    unproved: int = 0
    compared: int = 0
    damaged: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """No claim is false, and every image whose line is damaged has a whole one."""
        return not self.false and not self.lost


@dataclass(frozen=True)
class _Claim:
    where: str
    line: Line
    lower: float
    upper: float
    proved: bool
    method: str


def check(paths: Sequence[Path], net: Network, points: np.ndarray) -> Findings:
    """Check the lines of `paths` (one run, or its shards) against the network and the data (B, D) they speak of."""
    found = Findings()
    claims: dict[tuple[int, str, int | None], list[_Claim]] = defaultdict(list)
    answered: set[tuple[int, str]] = set()
    broken: list[tuple[str, int | None, str | None]] = []
    foreign: list[str] = []
    for where, raw, entry in _each(paths):
        if entry is None or entry.get("format") != FORMAT:
            broken.append((where, *_named(raw)))
            continue
        found.lines += 1
        answered.add((entry["index"], entry["method"]))
        if entry.get("digest") != net.digest:
            foreign.append(where)
            continue
        sentence = _identity(entry, points) or _shape(entry)
        if sentence:
            found.false.append(f"{where}: {sentence}")
            continue
        claim = _claim(where, entry, net, points[entry["index"]], found)
        if claim is not None:
            key = entry["index"], entry["norm"], entry.get("against", entry.get("attacked"))
            claims[key].append(claim)
    if foreign:
        lines = "the line speaks" if len(foreign) == 1 else f"this and {len(foreign) - 1:,} further lines speak"
        found.false.append(f"{foreign[0]}: {lines} of another network than the one given.")
    found.images = len({index for index, _ in answered})
    _lost(found, broken, answered)
    for group in claims.values():
        _law(group, found)
    return found


def _each(paths: Sequence[Path]) -> Iterator[tuple[str, bytes, Line | None]]:
    for path in paths:
        for line in read_lines(path):
            yield f"{path.name}, line {line.number}", line.raw, line.entry


def _named(raw: bytes) -> tuple[int | None, str | None]:
    """What a damaged line still says of its image and method."""
    index = re.search(rb'"index": (\d{1,12})\b', raw)
    method = re.search(rb'"method": "([\w-]{1,60})"', raw)
    return (int(index[1]) if index else None), (method[1].decode() if method else None)


def _lost(
    found: Findings, broken: Sequence[tuple[str, int | None, str | None]], answered: set[tuple[int, str]]
) -> None:
    """Damaged lines, and those among them whose image has no whole line."""
    by_method: dict[str, set[int]] = defaultdict(set)
    for index, method in answered:
        by_method[method].add(index)
    everyone = {index for index, _ in answered}
    complete = bool(everyone) and all(rows == everyone == set(range(len(everyone))) for rows in by_method.values())
    for where, row, name in broken:
        found.damaged.append(f"{where} is damaged" + (f" (image {row}, {name})" if row is not None else ""))
        whole = complete if row is None or name is None else (row, name) in answered
        if not whole:
            found.lost.append(f"{where}: its image has no whole line; give the run's command again to complete it.")


def _identity(entry: Line, points: np.ndarray) -> str:
    """Why a line does not speak of these images; empty when it does."""
    index = entry["index"]
    if not 0 <= index < len(points):
        return f"image {index} is not among the {len(points)} images given."
    if not str(entry["image"]).endswith("#" + point_digest(points[index])):
        return f"image {index} is another one than in the data given."
    return ""


def _shape(entry: Line) -> str:
    """Why a line is none of a certificate or an attack; empty when it is."""
    kinds = {branch["properties"]["kind"]["const"]: branch for branch in line_schema()["oneOf"]}
    branch = kinds.get(str(entry["kind"]))
    if branch is None:
        return f"there is no kind of line {str(entry['kind'])[:40]!r}."
    missing = [key for key in branch["required"] if key not in entry]
    if missing:
        return f"the key {missing[0]!r} is missing."
    for key in ("radius", "upper", "distance"):
        value = entry.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0):
            return f"{key} is no number of at least 0."
    return ""


def _claim(where: str, entry: Line, net: Network, point: np.ndarray, found: Findings) -> _Claim | None:
    """The bounds that a line claims, its witness proved again; None for an estimate or where nothing was found."""
    certificate = entry["kind"] == CERTIFICATE
    far = entry.get("upper" if certificate else "distance")
    upper, label = (math.inf if far is None else float(far)), entry.get("against" if certificate else "attacked")
    lower = 0.0
    if certificate and entry["guarantee"] != "estimate":
        lower = math.inf if entry["radius"] is None and entry["status"] == "ok" else float(entry["radius"] or 0.0)
    sure = False
    if entry.get("witness") is not None and label is not None:
        sentence = _refuted(entry, net, point, upper, int(label))
        if sentence:
            found.false.append(f"{where}: {sentence}")
            return None
        sure, found.witnesses = True, found.witnesses + 1
    elif upper < math.inf:
        found.unproved += 1
    if certificate and entry["prediction"] is not None and int(net(point).argmax()) != entry["prediction"]:
        found.false.append(f"{where}: the network reads another class than {entry['prediction']} there.")
        return None
    if certificate and entry["guarantee"] == "exact" and not upper <= lower * (1 + 1e-6):
        found.false.append(f"{where}: it is called exact, but its witness lies beyond (1 + 1e-6) times its radius.")
        return None
    return _Claim(where, entry, lower, upper, sure, str(entry["method"]))


def _refuted(entry: Line, net: Network, point: np.ndarray, upper: float, label: int) -> str:
    """Why a stored witness does not prove its distance; empty when it does."""
    try:
        witness = unpacked_point(entry["witness"], net.inputs)
    except InvalidInput as error:
        return str(error)
    if not 0 <= label < net.classes:
        return f"there is no class {label}."
    points = torch.from_numpy(witness).unsqueeze(0)
    if not bool(proved_adversarial(net, points, torch.tensor([label]), rational=True)[0]):
        return f"the witness is not proved to be read as another class than {label}."
    if not _within(witness, point, check_norm(entry["norm"]), upper):
        return f"the witness lies farther than the distance {upper!r} that is claimed."
    return ""


def _within(witness: np.ndarray, point: np.ndarray, norm: float, distance: float) -> bool:
    """Is the distance of two points at most `distance`, in rational arithmetic?"""
    if math.isinf(distance):
        return True
    gaps = [abs(Fraction(a) - Fraction(b)) for a, b in zip(witness.tolist(), point.tolist(), strict=True)]
    limit = Fraction(distance)
    if norm == 2:
        return sum(gap * gap for gap in gaps) <= limit * limit
    return (max(gaps) if norm == math.inf else sum(gaps)) <= limit


def _law(group: Sequence[_Claim], found: Findings) -> None:
    """Every lower bound against every upper bound of one image, norm and label."""
    lowest = min((c for c in group if c.upper < math.inf), key=lambda c: c.upper, default=None)
    if lowest is None:
        return
    for claim in group:
        found.compared += 1
        if claim.lower > lowest.upper:
            found.false.append(
                f"{claim.where}: the radius {claim.lower!r} ({claim.method}) lies above the distance "
                f"{lowest.upper!r} ({lowest.method}, {lowest.where})."
            )
