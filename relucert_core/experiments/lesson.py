"""The lesson's network and every number of its steps: Algorithm 1 and Theorems 1 to 3 at one point, as records.

Nothing is computed a second time here: each number comes from the engine, which a page then shows beside the paper's
formula. Theorem 4, for two layers only, is in `relucert_core.experiments.lesson_mix`. Source: Singla and Feizi (2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from relucert_core.certificates.result import Certificate, Limit
from relucert_core.distances import all_distances
from relucert_core.errors import Unsupported
from relucert_core.network import Network
from relucert_core.planar import PlanarComplex, planar_complex
from relucert_core.region import ActivationRegion, activation_region
from relucert_core.registry import certify

LESSON_NAME = "lesson-3-2"
LESSON_WEIGHTS = (
    ((2.0, 0.0), (1.0, -2.0), (-1.0, -1.0)),
    ((-2.0, 1.0, 2.0), (-1.0, 2.0, 1.0)),
    ((-2.0, 1.0), (1.0, 1.0), (0.0, 2.0)),
)
LESSON_BIASES = ((-2.0, 1.0, 0.0), (1.0, -2.0), (2.0, 0.0, -1.0))
LESSON_BOX = ((-3.0, 3.0), (-3.0, 3.0))
LESSON_POINT = (-0.4, -0.6)
_NEAR = 1e-9  # a nearest point on the region's face counts as inside; for a sentence, not for a bound
NEURONS = "ABCDE"  # the names of the hidden neurons, layer by layer


@lru_cache(maxsize=1)
def lesson_network() -> Network:
    """The network of the lesson: 2 inputs, 3 + 2 hidden neurons, 3 classes, integers for weights."""
    return Network(LESSON_WEIGHTS, LESSON_BIASES, name=LESSON_NAME)


def lower_network(net: Network) -> Network:
    """Theorem 2's g: the network without its last weight layer, so that its outputs are z^(M-1)."""
    if net.depth < 3:
        raise Unsupported(f"The network has {net.depth} layers; without the last one too few are left.")
    return Network(net.weights[:-1], net.biases[:-1], name=f"{net.name} without its last layer")


@lru_cache(maxsize=4)
def lesson_plane(net: Network) -> PlanarComplex:
    """The exact subdivision of the lesson's box, kept for the few networks of the lesson."""
    return planar_complex(net, LESSON_BOX)


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """One turn of Algorithm 1's loop, for a hidden layer of N neurons.

    C, d: (N, 2) and (N,): the layer's values as an affine map of the input, z(x) = C x + d.
    values, on, hidden: z, theta and a = z * theta at the point, (N,). P, q: the half-planes P x + q >= 0.
    """

    names: str
    C: np.ndarray
    d: np.ndarray
    values: np.ndarray
    on: np.ndarray
    hidden: np.ndarray
    P: np.ndarray
    q: np.ndarray


@dataclass(frozen=True, eq=False)
class Line:
    """A line row.x + offset = 0 near the point: a neuron's, or that where the local scores of two classes tie.

    name: the neuron's letter or the rival's number. value: row.u + offset, not negative for a neuron's half-plane.
    squares: the squared length of `row`. distance: from u, infinite for a zero row; foot: the nearest point on it, or
    None. touches: does it draw an edge of u's region inside the lesson's box?
    """

    name: str
    limit: Limit
    row: np.ndarray
    offset: float
    value: float
    squares: float
    distance: float
    foot: np.ndarray | None
    touches: bool = False


@dataclass(frozen=True, eq=False)
class Walk:
    """Everything that the lesson says about one point u of a network with 2 inputs and 2 hidden layers.

    layers: Algorithm 1's turns. region: its result (P, q), (C, d). faces, rivals: the lines of P_min and of d_min.
    certificate: the certified Theorem 3. exact, exact_point: the distance to the decision boundary and where it is
    reached (None when there is none); exact_proven: False leaves it an upper bound; exact_inside: is that place in the
    region of u (up to rounding)? piece_touches: which first-layer neurons draw an edge of the first layer's piece
    around u. pieces, regions: how many the first layer's lines, and all lines, make in the lesson's box.
    """

    point: np.ndarray
    layers: tuple[LayerTrace, ...]
    region: ActivationRegion
    logits: np.ndarray
    faces: tuple[Line, ...]
    rivals: tuple[Line, ...]
    certificate: Certificate
    exact: float
    exact_point: np.ndarray | None
    exact_proven: bool
    exact_inside: bool
    piece_touches: tuple[bool, ...]
    pieces: int
    regions: int

    @property
    def prediction(self) -> int:
        """The class that the network gives at u."""
        return self.certificate.prediction

    @property
    def nearest_face(self) -> Line:
        """The line of P_min."""
        return min(self.faces, key=lambda line: line.distance)

    @property
    def nearest_rival(self) -> Line:
        """The line of d_min."""
        return min(self.rivals, key=lambda line: line.distance)

    @property
    def reached(self) -> bool:
        """Does another class begin where the circle ends? True only when the certificate is proved to be exact."""
        return self.certificate.guarantee == "exact"


def walk(net: Network, point: Any) -> Walk:
    """Algorithm 1 and Theorems 1 to 3 at `point` (2,), step by step.

    Requires 2 inputs and 2 hidden layers. Raises Unsupported for another shape and InvalidInput for a bad point.
    Distances of lines are plain float64; what is certified is `certificate`.
    """
    if net.inputs != 2 or net.depth != 3:
        raise Unsupported(f"The lesson is for 2 inputs and 2 hidden layers; {net.inputs} and {net.depth - 1} came.")
    region = activation_region(net, point)
    lower = lower_network(net)
    distance, nearest, proven = lesson_plane(net).boundary_distance(region.point)
    return Walk(
        point=region.point,
        layers=_trace(net, lower, region),
        region=region,
        logits=net(region.point),
        faces=_faces(net, region),
        rivals=rival_lines(net, region),
        certificate=certified(net, region.point),
        exact=float(distance[0]),
        exact_point=nearest[0] if np.isfinite(distance[0]) else None,
        exact_proven=bool(proven[0]),
        exact_inside=bool(np.isfinite(distance[0]) and (region.P @ nearest[0] + region.q >= -_NEAR).all()),
        piece_touches=touching(lower, region.point)[0],
        pieces=len(lesson_plane(lower)),
        regions=len(lesson_plane(net)),
    )


def certified(net: Network, point: np.ndarray, method: str = "simplex") -> Certificate:
    """The certificate of one point (2,)."""
    certificate = certify(net, point, method=method)
    assert isinstance(certificate, Certificate)
    return certificate


def _trace(net: Network, lower: Network, region: ActivationRegion) -> tuple[LayerTrace, ...]:
    """Theorem 2 read upward: each layer's affine map is that of the network cut off behind it."""
    second = activation_region(lower, region.point)
    maps = [(net.weights[0], net.biases[0]), (second.C, second.d)]
    hidden, traces, row = region.point, [], 0
    for (C, d), weight, bias, on in zip(maps, net.weights, net.biases, region.pattern, strict=False):
        values, rows = weight @ hidden + bias, slice(row, row + len(on))
        hidden, row = values * on, row + len(on)
        traces.append(LayerTrace(NEURONS[rows], C, d, values, on, hidden, region.P[rows], region.q[rows]))
    return tuple(traces)


def touching(net: Network, point: Any) -> tuple[tuple[bool, ...], ...]:
    """For each hidden layer, which neurons draw an edge of the region that holds the point, inside the lesson's box."""
    plane = lesson_plane(net)
    index = int(plane.locate(np.atleast_2d(point))[0])
    beside = (plane.edges.regions == index).any(1) & (index >= 0)
    drawn = {tuple(pair) for pair in plane.edges.neurons[beside].tolist()}
    return tuple(tuple((layer, j) in drawn for j in range(width)) for layer, width in enumerate(net.widths))


def _faces(net: Network, region: ActivationRegion) -> tuple[Line, ...]:
    distances = all_distances(net, torch.as_tensor(region.point)[None])[0][0].tolist()
    touches = [t for layer in touching(net, region.point) for t in layer]
    return tuple(
        make_line(
            NEURONS[i], Limit.face(*region.place(i)), region, (region.P[i], region.q[i]), distances[i], touches[i]
        )
        for i in range(len(region.P))
    )


def rival_lines(net: Network, region: ActivationRegion) -> tuple[Line, ...]:
    """For each rival of the predicted class the line where the two tie, by the local affine map of the region."""
    scores = net(region.point)
    best = int(scores.argmax())
    distances = all_distances(net, torch.as_tensor(region.point)[None])[1][0].tolist()
    rivals = [j for j in range(net.classes) if j != best]
    gaps = {j: (region.C[best] - region.C[j], region.d[best] - region.d[j]) for j in rivals}
    return tuple(make_line(str(j), Limit.decision(j), region, gaps[j], distances[j]) for j in rivals)


def make_line(
    name: str,
    limit: Limit,
    region: ActivationRegion,
    equation: tuple[np.ndarray, float],
    distance: float,
    touches: bool = False,
) -> Line:
    """The record of the line row.x + offset = 0, `equation` = (row, offset), as seen from the region's point."""
    row, offset = equation
    value, squares = float(row @ region.point + offset), float(row @ row)
    foot = region.point - value / squares * row if squares > 0 else None
    return Line(name, limit, row, float(offset), value, squares, distance, foot, touches)
