"""The nearest decision point inside the point's own activation region (section 1 of the paper).

An upper bound on the distance to the nearest adversarial point, with its witness, or the finding that there is none in
the region.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import torch

from relucert_core.arrays import Norm, Numbers, Vector
from relucert_core.certificates.margins import margins
from relucert_core.certificates.result import OK
from relucert_core.errors import InvalidInput
from relucert_core.forward import proven_forward, rival_logits
from relucert_core.network import Network, as_labels, as_points
from relucert_core.norms import check_norm, dual
from relucert_core.polyhedron import nearest_step
from relucert_core.region import ActivationRegion, activation_region
from relucert_core.solvers import FAILED
from relucert_core.witness import proved_adversarial, witness_beyond

FOUND = "found"
NONE_THERE = "no decision point in this region"
NOT_FOUND = "none found: a solver failed"


@dataclass(frozen=True, eq=False)
class RegionDistance:
    """The nearest decision point inside S(theta).

    distance: its distance in `norm`, rounded up; inf when none was found. witness: (D,), proved to have
    f_rival >= f_label, or None. status: "found", "no decision point in this region" (the solver's word, no proof),
    "none found: a solver failed", or the certificate's status of a tie or a wrong prediction (distance 0; inf where
    rounding or an overflow leaves open whether it is one).
    tight: the (layer, neuron) of the faces that the witness lies on, to solver accuracy. seconds: time spent.
    """

    norm: float
    distance: float
    witness: Vector | None
    rival: int | None
    label: int
    status: str
    tight: tuple[tuple[int, int], ...] = ()
    seconds: float = 0.0


def region_distance(
    net: Network,
    x: Numbers,
    norm: Norm = 2,
    label: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> RegionDistance:
    """The nearest point of S(theta) with f_j >= f_label for some rival j: a QP for norm 2, an LP for 1 and inf, each j.

    x: one point (D,). Rivals are visited in the order of their planes' distances, and those whose plane is farther than
    the best point found are skipped. `progress(done, rivals)` is called after each. Returns an upper bound with its
    witness, or none there (see RegionDistance). Raises InvalidInput for a batch or a bad point.
    Cost: for each rival visited a few programs with the rows that matter.
    """
    steps = region_steps(net, x, norm, label)
    while True:
        try:
            done, rivals = next(steps)
        except StopIteration as end:
            answer: RegionDistance = end.value
            return answer
        if progress is not None:
            progress(done, rivals)


def region_steps(
    net: Network, x: Numbers, norm: Norm = 2, label: int | None = None
) -> Generator[tuple[int, int], None, RegionDistance]:
    """`region_distance` as a generator: yields (rivals done, rivals) after each, and returns the answer."""
    start = time.perf_counter()
    norm = check_norm(norm)
    points, single = as_points(net, x)
    if not single:
        raise InvalidInput(f"region_distance takes one point ({net.inputs},); a batch of {len(points)} came.")
    found = margins(proven_forward(net, points), as_labels(net, label, 1))
    k = int(found.label[0])
    if found.status[0] != OK:
        here = bool(proved_adversarial(net, points, torch.tensor([k], device="cpu"), rational=True)[0])
        distance, witness = (0.0, points[0].numpy()) if here else (math.inf, None)
        return RegionDistance(norm, distance, witness, None, k, found.status[0], (), time.perf_counter() - start)
    answer = yield from _search(net, points[0], activation_region(net, points[0]), k, norm)
    return RegionDistance(norm, *answer, seconds=time.perf_counter() - start)


def _search(
    net: Network,
    point: torch.Tensor,
    region: ActivationRegion,
    label: int,
    norm: float,
) -> Generator[
    tuple[int, int], None, tuple[float, np.ndarray | None, int | None, int, str, tuple[tuple[int, int], ...]]
]:
    """Rival by rival, with a report after each; returns the fields of RegionDistance from `distance` to `tight`."""
    slacks = np.maximum(region.P @ region.point + region.q, 0.0)
    gaps, planes = _planes(region, label, norm)
    best: tuple[float, np.ndarray | None, int | None] = (math.inf, None, None)
    tight: tuple[tuple[int, int], ...] = ()
    failed = False
    order = np.argsort(planes)
    for done, j in enumerate(order, start=1):
        if planes[j] < best[0]:
            row = region.C[j] - region.C[label]
            answer = nearest_step(region.P, slacks, row, gaps[j], norm, bound=best[0])
            failed |= answer.status == FAILED
            witness = None if answer.step is None else _checked(net, point, answer.step, label, norm)
            failed |= answer.step is not None and witness is None
            if witness is not None and witness[1] < best[0]:
                best = (
                    witness[1],
                    witness[0].numpy(),
                    int(rival_logits(net.logits(witness[0].unsqueeze(0))[0], label).argmax()),
                )
                tight = tuple(region.place(row) for row in answer.tight)
        yield done, len(order)
    status = FOUND if best[1] is not None else NOT_FOUND if failed else NONE_THERE
    return best[0], best[1], best[2], label, status, tight


def _planes(region: ActivationRegion, label: int, norm: float) -> tuple[np.ndarray, np.ndarray]:
    """The margins f_label - f_j at the point and the distances to the rivals' planes (inf at the label), (K,) each."""
    logits = region.C @ region.point + region.d
    gaps = logits[label] - logits
    sizes = np.linalg.norm(region.C - region.C[label], ord=dual(norm), axis=1)
    planes = np.full(len(gaps), math.inf)
    np.divide(gaps, sizes, out=planes, where=sizes > 0)
    planes[label] = math.inf
    return gaps, planes


def _checked(
    net: Network, point: torch.Tensor, step: np.ndarray, label: int, norm: float
) -> tuple[torch.Tensor, float] | None:
    """The solver's point, pushed outward until it is proved adversarial; None when no small push is enough."""
    near = point + torch.from_numpy(step)
    return witness_beyond(net, point, near, label, float(np.linalg.norm(step, ord=norm)) * (1 + 1e-7), norm)
