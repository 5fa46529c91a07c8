"""Distances from a point to all the hyperplanes of many activation regions at once, rounded down.

In the region of a pattern r every pre-activation is an affine function of the input, its value at the centre u is
that of a forward pass with the neurons switched as r says, its gradient the row of Algorithm 1. The distance of u to
the *whole* hyperplane is |value| / ||row||_dual, whether or not the hyperplane touches the region.

**Rounding.** A product of matrices and switches errs by at most gamma times the same product of absolute values (n: the
widths added up), whatever the switches are. So two vectors that do not depend on the pattern, computed once with all
neurons on, bound the errors of all values and the dual norms of the errors of all rows.
In the norm 2 the rows live in the whitened coordinates of `local_network`, where norms are never smaller.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF, gamma
from relucert_core.search.half_spaces import lengths_above
from relucert_core.search.local_network import LocalNetwork

_DOUBT = 1.01


@dataclass(frozen=True, eq=False)
class Atlas:
    """What is computed once for a point: the local network, the norm's dual, the errors of values and of rows.

    value_error, row_error: (N + K,), neurons first, then the logits. first_faces: (N_1,), the distances to the
    hyperplanes of the first layer, which are the same in all regions.
    """

    local: LocalNetwork
    dual: float
    value_error: np.ndarray
    row_error: np.ndarray
    first_faces: np.ndarray

    @property
    def classes(self) -> int:
        """K."""
        return len(self.local.biases[-1])


@dataclass(frozen=True, eq=False)
class Hyperplanes:
    """Distances from the centre, for B regions.

    faces: (B, N), lower bounds on the distances to the hyperplanes of all neurons. decisions: (B, K), to the half-space
    f_rival >= f_label of the region's affine map (0 where the centre is in it, infinite at the label).
    """

    faces: np.ndarray
    decisions: np.ndarray


@np.errstate(all="ignore")  # overflow is dealt with where it counts
def make_atlas(local: LocalNetwork, dual: float) -> Atlas:
    """The error bounds for one point; `dual` is the dual order of the norm (1, 2 or inf)."""
    terms = 4 * (local.size + local.neurons + sum(map(len, local.biases[-1:])) + 8 * len(local.weights) + 16)
    values = [np.abs(local.offset) + local.offset_error]
    rows = [lengths_above(local.first, dual)]
    carried = [1.01 * local.offset_error]
    for weight, bias in zip(local.weights, local.biases, strict=True):
        size = np.abs(weight)
        values.append(_DOUBT * (size @ values[-1] + np.abs(bias)))
        rows.append(_DOUBT * (size @ rows[-1]))
        carried.append(_DOUBT * (size @ carried[-1]))
    share = _DOUBT * 2 * gamma(terms)
    tiny = terms * SMALLEST * (1 + sum(float(v.sum()) for v in rows) + sum(float(v.sum()) for v in values))
    value_error = np.concatenate(carried) + share * np.concatenate(values) + tiny
    row_error = share * np.concatenate(rows) + tiny
    count = len(local.offset)
    first = _below(np.abs(local.offset)[:, None], value_error[:count], rows[0][:, None], row_error[:count])
    return Atlas(local, dual, value_error, row_error, first[:, 0])


def affine_maps(atlas: Atlas, patterns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values (S, B) at the centre and rows (S, B, m) of the neurons above the first layer, then the logits.

    patterns: (B, N) bool, the regions; S = N - N_1 + K.
    """
    local = atlas.local
    switches = np.ascontiguousarray(patterns.T)
    count, size, skip = len(patterns), local.size, local.slices[0].stop
    values = np.empty((local.neurons - skip + atlas.classes, count))
    rows = np.empty((len(values), count, size))
    value, row = np.broadcast_to(local.offset[:, None], (skip, count)), local.first[:, None, :]
    for k, part in enumerate(local.slices):
        target = slice(part.stop - skip, part.stop - skip + len(local.biases[k]))
        # Neurons that are off in all these regions count nowhere; the first layer's rows are the same in all of them,
        # so that one product does for those that are always on.
        often = np.count_nonzero(switches[part], axis=1)
        common = np.flatnonzero(often == count) if k == 0 else np.zeros(0, dtype=np.int64)
        varied = np.flatnonzero((often > 0) & (often < count) if k == 0 else often > 0)
        weight, on = local.weights[k][:, varied], switches[part][varied].astype(np.float64)
        switched = row[varied] * on[:, :, None]
        np.matmul(weight, switched.reshape(-1, count * size), out=rows[target].reshape(-1, count * size))
        values[target] = weight @ (value[varied] * on) + local.biases[k][:, None]
        if len(common):
            rows[target] += (local.weights[k][:, common] @ local.first[common])[:, None, :]
            values[target] += (local.weights[k][:, common] @ local.offset[common])[:, None]
        value, row = values[target], rows[target]
    return values, rows


def hyperplanes(atlas: Atlas, patterns: np.ndarray) -> Hyperplanes:
    """The distances of a batch of regions (B, N) bool."""
    values, rows = affine_maps(atlas, patterns)
    local, classes = atlas.local, atlas.classes
    label, skip = local.label, local.slices[0].stop
    inner, outer = len(values) - classes, local.neurons
    faces = np.empty((local.neurons, len(patterns)))
    faces[:skip] = atlas.first_faces[:, None]
    errors = atlas.value_error[skip:outer], atlas.row_error[skip:outer]
    faces[skip:] = _below(np.abs(values[:inner]), errors[0], lengths_above(rows[:inner], atlas.dual), errors[1])
    gaps, differences = values[inner + label] - values[inner:], rows[inner + label] - rows[inner:]
    value_error = 2 * (atlas.value_error[outer:] + atlas.value_error[outer + label])
    row_error = 2 * (atlas.row_error[outer:] + atlas.row_error[outer + label])
    decisions = _below(gaps, value_error, lengths_above(differences, atlas.dual), row_error)
    decisions[label] = np.inf
    return Hyperplanes(faces.T, decisions.T)


def _below(values: np.ndarray, value_error: np.ndarray, sizes: np.ndarray, row_error: np.ndarray) -> np.ndarray:
    """(value - error) / (size + error), at least 0, rounded down; 0 where a number is not finite."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        numerator = values - value_error[:, None] - 4 * UNIT_ROUNDOFF * np.abs(values)
        distance = numerator / (sizes + row_error[:, None]) * (1 - 16 * UNIT_ROUNDOFF) - SMALLEST
    return np.where(np.isfinite(distance) | (distance == np.inf), np.maximum(distance, 0.0), 0.0)
