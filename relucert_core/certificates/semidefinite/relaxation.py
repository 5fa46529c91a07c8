"""The frozen records of the semidefinite certificate: bounds, the relaxation of one rival at one radius, multipliers.

**The relaxation.** `forms` turns a network, a point u, a rival and bounds of the neurons into a problem whose stored
numbers are taken *exactly* from then on. With d = x - u its variables are
    y = Q^T d (Q stored, any matrix),    zeta_1, ..., zeta_n (one for each lifted neuron, scaled to [0, 1]),
and v = (1, y, zeta). One coordinate, the pivot, is eliminated by the margin: v_pivot = g . v', v' being v without it.
If an adversarial point of the rival lies within the radius, there is a point d, no longer than it, at which
    zeta_i >= 0,   omega_i >= 0,   zeta_i omega_i = 0,   1 - zeta_i - omega_i >= 0    for every i,
where omega_i is a stored row over v' (up to `omega_error`). So |y|^2 over these conditions is at most |Q|^2 times the
squared distance, and any multipliers whose Lagrangian is proved to be a positive semidefinite form bound it below.

**Form indices.** zeta_i is form i, omega_i form n + i, t_i = 1 - zeta_i - omega_i form 2 n + i, the constant one
form 3 n, further non-negative forms ("extras") from 3 n + 1 on. Base forms are zeta, omega, one and the extras.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from relucert_core.rounding import UNIT_ROUNDOFF

COMPLEMENT, ZETA_BOX, OMEGA_BOX, CUT = range(4)


@dataclass(frozen=True)
class Identity:
    """Whose bounds or problem a record is: a network's digest, a point's float64 bytes, label, rival and radius.

    rival None: it holds for every rival.
    """

    digest: str
    point: bytes
    label: int
    rival: int | None
    radius: float

    def covers(self, other: Identity) -> bool:
        """Do bounds of this identity hold for the problem `other`?"""
        same = (self.digest, self.point, self.label) == (other.digest, other.point, other.label)
        return same and self.rival in (None, other.rival) and self.radius >= other.radius


@dataclass(frozen=True, eq=False)
class Bounds:
    """lower <= z <= upper for the pre-activations of every hidden layer, (N_i,) each.

    They hold at every point of the ball of `identity` at which f_label - f_rival <= slack (infinite: everywhere in it).
    carried: (N_i,) bool each, the outputs that pass no ReLU, which count as on; None where a layer has none.
    """

    identity: Identity
    lower: tuple[np.ndarray, ...]
    upper: tuple[np.ndarray, ...]
    slack: float
    carried: tuple[np.ndarray | None, ...] = ()

    @property
    def open(self) -> tuple[np.ndarray, ...]:
        """(N_i,) bool each: the neurons that are proved neither on nor off; a NaN leaves a neuron open."""
        return tuple(~on & ~(high <= 0) for on, high in zip(self.on, self.upper, strict=True))

    @property
    def on(self) -> tuple[np.ndarray, ...]:
        """(N_i,) bool each: the outputs that are proved to be passed on as they are."""
        carried = self.carried or (None,) * len(self.lower)
        pairs = zip(self.lower, carried, strict=True)
        return tuple(low >= 0 if mask is None else (low >= 0) | mask for low, mask in pairs)


@dataclass(frozen=True, eq=False)
class Relaxation:
    """The problem of one rival at one radius, over v' of N numbers; see the module.

    identity: whose problem it is; bounds: the identity of the bounds that it was made from.
    basis: Q (D, p); basis_norm: a proved upper bound on its spectral norm.
    centre_margin: a proved lower bound on the stored margin at the centre; the problem says nothing unless it is > 0.
    g: (N,), the eliminated coordinate over v'. pivot_is_neuron: it is the last neuron's zeta; otherwise it is y_1.
    omega: (n, N) rows; omega_error: (n,), how far omega_i may be from its row's value.
    extras: (K, N) rows of further forms, extra_error: (K,) the same for them, extra_bound: (K,) how large they get.
    cuts: (c, 2), pairs of form indices whose product is not negative.
    where: (n, 2), the layer (from 1) and the number of each lifted neuron. units: (n,), z_i is about units_i zeta_i.
    cases: what is assumed besides, pairs (neuron, side) of `branches`; none for a problem of all adversarial points.
    """

    identity: Identity
    bounds: Identity
    basis: np.ndarray
    basis_norm: float
    centre_margin: float
    g: np.ndarray
    pivot_is_neuron: bool
    omega: np.ndarray
    omega_error: np.ndarray
    extras: np.ndarray
    extra_error: np.ndarray
    extra_bound: np.ndarray
    cuts: np.ndarray
    where: np.ndarray
    units: np.ndarray
    cases: tuple[tuple[int, int], ...] = ()

    @property
    def size(self) -> int:
        """N, the length of v'."""
        return len(self.g)

    @property
    def neurons(self) -> int:
        """n, the number of lifted neurons."""
        return len(self.omega)

    @property
    def inputs(self) -> slice:
        """The coordinates of v' that are inputs y (all of them, or all but y_1)."""
        return slice(1, 1 + self.basis.shape[1] - (not self.pivot_is_neuron))

    @property
    def zetas(self) -> slice:
        """The coordinates of v' that are neurons (all of them, or all but the last)."""
        return slice(self.inputs.stop, self.size)

    @property
    def one(self) -> int:
        """The form index of the constant 1."""
        return 3 * self.neurons

    @property
    def size_above(self) -> float:
        """An upper bound on |v'|^2 over the points of the problem."""
        return (1 + (self.basis_norm * self.identity.radius) ** 2 + self.neurons) * (1 + 16 * UNIT_ROUNDOFF)

    def zeta_rows(self) -> np.ndarray:
        """(n, N): the rows of zeta over v'."""
        rows = np.zeros((self.neurons, self.size))
        count = self.zetas.stop - self.zetas.start
        rows[np.arange(count), self.zetas.start + np.arange(count)] = 1.0
        if self.pivot_is_neuron:
            rows[-1] = self.g
        return rows

    def base_forms(self) -> np.ndarray:
        """(2 n + 1 + K, N): the rows of zeta, omega, one and the extras over v'."""
        one = np.zeros((1, self.size))
        one[0, 0] = 1.0
        return np.concatenate([self.zeta_rows(), self.omega, one, self.extras])

    def base_errors(self) -> np.ndarray:
        """(2 n + 1 + K,): how far each base form may be from its row's value."""
        return np.concatenate([np.zeros(self.neurons), self.omega_error, [0.0], self.extra_error])

    def base_bounds(self) -> np.ndarray:
        """(2 n + 1 + K,): the base forms lie in [0, bound] at the points of the problem."""
        return np.concatenate([np.ones(2 * self.neurons + 1), self.extra_bound])

    def constraints(self) -> np.ndarray:
        """(m, 3) int: form indices (a, b) and the kind, in the order of `Multipliers`.

        COMPLEMENT: a b = 0; ZETA_BOX and OMEGA_BOX: a (1 - a) >= 0, with b = a; CUT: a b >= 0.
        """
        neuron = np.arange(self.neurons)
        omega = self.neurons + neuron
        pairs = np.concatenate([np.stack(pair, 1) for pair in ((neuron, omega), (neuron, neuron), (omega, omega))])
        kinds = np.repeat([COMPLEMENT, ZETA_BOX, OMEGA_BOX, CUT], [*[self.neurons] * 3, len(self.cuts)])
        return np.column_stack([np.concatenate([pairs, self.cuts.reshape(-1, 2)]), kinds])

    def objective(self) -> np.ndarray:
        """(N, N): the matrix C of |y|^2 = v' C v', as computed (g g^T is rounded where the pivot is an input)."""
        matrix = np.zeros((self.size, self.size)) if self.pivot_is_neuron else np.outer(self.g, self.g)
        places = np.arange(self.inputs.start, self.inputs.stop)
        matrix[places, places] += 1.0
        return matrix

    def displacement(self, lifted: np.ndarray) -> np.ndarray:
        """(D,): the d = Q y of a vector v' (N,), up to rounding."""
        rest = lifted[self.inputs]
        return self.basis @ (rest if self.pivot_is_neuron else np.concatenate([[self.g @ lifted], rest]))

    def with_extras(self, rows: np.ndarray, errors: np.ndarray, bounds: np.ndarray) -> Relaxation:
        """The problem with more non-negative forms at the end of the list."""
        return replace(
            self,
            extras=np.concatenate([self.extras, rows]),
            extra_error=np.concatenate([self.extra_error, errors]),
            extra_bound=np.concatenate([self.extra_bound, bounds]),
        )

    def with_cuts(self, cuts: np.ndarray) -> Relaxation:
        """The problem with the cuts (c, 2) in place of its own."""
        return replace(self, cuts=np.asarray(cuts, dtype=np.int64).reshape(-1, 2))


@dataclass(frozen=True, eq=False)
class Multipliers:
    """One multiplier for each constraint: complement (n,) of any sign; zeta_box, omega_box (n,), cuts (c,) >= 0."""

    complement: np.ndarray
    zeta_box: np.ndarray
    omega_box: np.ndarray
    cuts: np.ndarray
