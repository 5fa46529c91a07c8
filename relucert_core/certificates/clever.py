"""CLEVER (Weng et al. 2018, "Evaluating the Robustness of Neural Networks"): an estimate by extreme-value theory.

For each rival j the lengths of the gradient of f_k - f_j are sampled in a ball of radius R, in batches; the batches'
maxima are fitted by a reverse Weibull distribution, whose end point a_j estimates the Lipschitz constant. The
estimate is the smallest of (f_k - f_j) / a_j and R. NOT a bound: the true constant may be larger than any sample
suggests. Deviations: the fit is a maximum-likelihood search over end points at most one spread of the maxima beyond
the largest (farther out the likelihood often creeps on towards infinity), with shape at least 1 (below, it has no
maximum); fewer samples than in the paper (500 batches of 1024) by default, fewer still past a deadline; R is by default
twice the distance to the nearest decision plane of the local affine map.
"""

from __future__ import annotations

import math
import time

import torch

from relucert_core.certificates.over_balls.centre import Centre, centre
from relucert_core.certificates.result import ESTIMATE, OK, Certificate, CertificateEntry, Limit
from relucert_core.deadline import late
from relucert_core.errors import InvalidInput
from relucert_core.forward import activation_masks, hidden_values
from relucert_core.network import Network
from relucert_core.norms import NORMS, dual, row_norms
from relucert_core.region import backward_rows

_END_POINTS = 60
_SHAPES = (1.0, 1e4)


def run_clever(
    net: Network,
    points: torch.Tensor,
    *,
    norm: float,
    labels: torch.Tensor | None = None,
    batches: int = 30,
    samples: int = 32,
    radius: float | None = None,
    seed: int = 0,
) -> list[Certificate]:
    """The CLEVER estimate of each point (B, D); the same seed draws the same samples for a point in any batch.

    Raises InvalidInput for fewer than 2 batches, no samples, or a radius that is not positive.
    """
    if batches < 2 or samples < 1 or (radius is not None and not 0 < radius < math.inf):
        raise InvalidInput(
            f"CLEVER takes at least 2 batches of at least 1 sample and a positive finite radius; batches={batches}, "
            f"samples={samples}, radius={radius} came."
        )
    where = centre(net, points, norm, labels)
    result = []
    for i in range(len(points)):
        began = time.perf_counter()
        generator = torch.Generator().manual_seed(seed)
        estimate, rival, ball = 0.0, None, 0.0
        if where.margins.status[i] == OK:
            ball = _ball_radius(where, i) if radius is None else radius
            estimate, rival = _estimate(where, i, batches, samples, ball, generator)
        result.append(_certificate(where, i, estimate, rival, ball, time.perf_counter() - began))
    return result


def _ball_radius(where: Centre, i: int) -> float:
    distance = float(where.local_distance[i])
    return 2 * distance if 0 < distance < 1e150 else 1.0


def _estimate(
    where: Centre, i: int, batches: int, samples: int, radius: float, generator: torch.Generator
) -> tuple[float, int | None]:
    """(estimate, limiting rival or None when the ball's radius limits); a deadline ends it from two batches on."""
    maxima: list[torch.Tensor] = []
    while len(maxima) < 2 or (len(maxima) < batches and not late()):
        maxima.append(_gradient_maxima(where, i, samples, radius, generator))
    ends = weibull_end_point(torch.stack(maxima, -1))
    gaps = where.gaps[i]
    ratios = torch.where((ends > 0) & torch.isfinite(gaps), gaps / torch.where(ends > 0, ends, 1.0), math.inf)
    smallest, rival = ratios.min(-1)
    return (float(smallest), int(rival)) if smallest < radius else (radius, None)


def _gradient_maxima(where: Centre, i: int, samples: int, radius: float, generator: torch.Generator) -> torch.Tensor:
    """(K,): the largest dual norm of the gradient of each f_label - f_j among points drawn from the ball."""
    points = where.points[i] + radius * ball_points(samples, where.net.inputs, where.norm, generator)
    masks = activation_masks(where.net.affine, hidden_values(where.net.affine, points))
    rows = where.rivals[i].expand(samples, -1, -1)
    return row_norms(backward_rows(where.net.affine[:-1], masks, rows), dual(where.norm)).amax(0)


def ball_points(count: int, inputs: int, norm: float, generator: torch.Generator) -> torch.Tensor:
    """(count, inputs) points, uniform in the unit ball of the norm."""
    uniform = torch.rand(count, inputs, generator=generator, dtype=torch.float64)
    if norm == math.inf:
        return 2 * uniform - 1
    if norm == 1:
        signs = torch.rand(count, inputs, generator=generator, dtype=torch.float64).sub(0.5).sign()
        extra = torch.rand(count, 1, generator=generator, dtype=torch.float64)
        weights = -torch.log1p(-torch.cat([uniform, extra], -1))
        return signs * weights[:, :-1] / weights.sum(-1, keepdim=True)
    directions = torch.randn(count, inputs, generator=generator, dtype=torch.float64)
    lengths = torch.rand(count, 1, generator=generator, dtype=torch.float64) ** (1 / inputs)
    return directions / torch.linalg.vector_norm(directions, dim=-1, keepdim=True) * lengths


def weibull_end_point(maxima: torch.Tensor) -> torch.Tensor:
    """The end point a of the reverse Weibull distribution of largest likelihood, for each row (K, n) of maxima -> (K,).

    With x = a - maximum the density is (c / s) (x / s)^(c - 1) exp(-(x / s)^c). Rows whose maxima are all equal give
    that value.
    """
    largest, spread = maxima.amax(-1, keepdim=True), maxima.amax(-1, keepdim=True) - maxima.amin(-1, keepdim=True)
    steps = torch.logspace(-3, 0, _END_POINTS, dtype=torch.float64)
    ends = largest + torch.where(spread > 0, spread, 1.0) * steps
    logs = torch.log(ends.unsqueeze(-1) - maxima.unsqueeze(1))
    shape = _best_shape(logs)
    scale = (torch.logsumexp(shape.unsqueeze(-1) * logs, -1) - math.log(maxima.shape[-1])) / shape
    likelihood = torch.log(shape) - shape * scale + (shape - 1) * logs.mean(-1) - 1
    best = ends.gather(-1, likelihood.argmax(-1, keepdim=True))
    return torch.where(spread > 1e-12 * largest, best, largest).squeeze(-1)


def _best_shape(logs: torch.Tensor) -> torch.Tensor:
    """The shape c >= 1 of largest likelihood, (..., n) -> (...): the root of a monotone equation, by bisection."""
    low, high = (torch.full(logs.shape[:-1], math.log(end), dtype=torch.float64) for end in _SHAPES)
    for _ in range(60):
        shape = torch.exp((low + high) / 2)
        weights = torch.softmax(shape.unsqueeze(-1) * logs, -1)
        too_small = 1 / shape > (weights * logs).sum(-1) - logs.mean(-1)
        low = torch.where(too_small, (low + high) / 2, low)
        high = torch.where(too_small, high, (low + high) / 2)
    return torch.exp((low + high) / 2)


def _certificate(where: Centre, i: int, estimate: float, rival: int | None, ball: float, seconds: float) -> Certificate:
    return Certificate(
        method="clever",
        norm=where.norm,
        radius=estimate,
        guarantee=ESTIMATE,
        status=where.margins.status[i],
        prediction=int(where.margins.prediction[i]),
        label=int(where.margins.label[i]),
        limit=None if rival is None else Limit.decision(rival),
        parts={"sampled_radius": ball} if ball else {},
        seconds=seconds,
    )


ENTRY = CertificateEntry(
    name="clever",
    place=900,
    title="CLEVER (an estimate)",
    run=run_clever,
    norms=NORMS,
    any_layers=True,
    guarantee=ESTIMATE,
    sentence="Samples how steep the network is around the point and guesses the steepest slope from the largest "
    "samples. An estimate, not a guarantee: it can be too large.",
    reference="Weng et al., Evaluating the Robustness of Neural Networks: An Extreme Value Theory Approach (2018)",
    options={
        "batches": "how many batches of samples (30)",
        "samples": "how many points a batch (32)",
        "radius": "the radius of the ball that is sampled; the estimate is never larger",
        "seed": "the seed of the samples (0)",
    },
)
