"""The linear maps between multipliers and matrices that the constraints of a relaxation define.

With forms f_i (rows over v') every constraint is the symmetric part of a_k b_k' for two forms. A(X) = (a_k' X b_k)_k,
its adjoint A*(y) = sum_k y_k sym(a_k b_k'), and Schur's matrix of the HKM direction
    M_kl = <sym(a_k b_k'), X sym(a_l b_l') Z>,
symmetrised: four products of inner products of forms in X and in Z each, so that only the Gram matrices of the forms
in X and Z are needed. The order of the multipliers is that of `Relaxation.constraints`, and one more at the end for the
constant one times itself, whose multiplier is the bound. Rows that pick a coordinate (zeta) are indices, never rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse

from relucert_core.certificates.semidefinite.factors import lower_product, mirror, symmetric_product
from relucert_core.certificates.semidefinite.relaxation import Relaxation

_OPERATIONS = 1.2e10  # in a second, one thread: a guess on the slow side
_KINDS = (("z", "w"), ("z", "Z"), ("w", "W"))  # the two forms of the neurons' three constraints, see `Gram.box`
_STRIP = 2**15  # numbers in a strip of Schur's matrix: a few of these stay in the processor's cache


@dataclass(frozen=True, eq=False)
class Gram:
    """Inner products of the forms in a symmetric matrix X.

    columns: X Omega' (N, n). zz, zw, ww: (n, n), of zeta and omega; z0, w0: (n,), with the constant one; oo: X_00.
    extras: X E' (N, K) for the further forms. table, with_one: all forms with each other and with one, where there are
    cuts.
    """

    columns: np.ndarray
    zz: np.ndarray
    zw: np.ndarray
    ww: np.ndarray
    z0: np.ndarray
    w0: np.ndarray
    oo: float
    extras: np.ndarray
    table: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    def box(self, rows: slice) -> dict[str, np.ndarray]:
        """Those of zeta (z), omega (w), 1 - zeta (Z), 1 - omega (W) of the neurons `rows` with all neurons'."""
        zz, zw, ww, wz = self.zz[rows], self.zw[rows], self.ww[rows], np.ascontiguousarray(self.zw.T[rows])
        z_row, w_row, z_col, w_col = self.z0[rows, None], self.w0[rows, None], self.z0, self.w0
        to_z, to_w = self.oo - z_row - z_col, self.oo - w_row - w_col
        return {
            "zz": zz, "zw": zw, "wz": wz, "ww": ww,
            "zZ": z_row - zz, "zW": z_row - zw, "wZ": w_row - wz, "wW": w_row - ww,
            "Zz": z_col - zz, "Zw": w_col - zw, "Wz": z_col - wz, "Ww": w_col - ww,
            "ZZ": to_z + zz, "WW": to_w + ww, "WZ": self.oo - w_row - z_col + wz, "ZW": self.oo - z_row - w_col + zw,
        }  # fmt: skip


class Operator:
    """The maps of one relaxation. size N, neurons n, count m: the number of multipliers, the bound's included."""

    def __init__(self, problem: Relaxation) -> None:
        self.problem = problem
        self.size, self.neurons, self.cuts = problem.size, problem.neurons, len(problem.cuts)
        self.count = 3 * self.neurons + self.cuts + 1
        self.objective = problem.objective()
        self.forms = problem.base_forms()
        self.omega, self.zetas, self.extras = problem.omega, problem.zetas, problem.extras
        self.first, self.second = problem.cuts[:, 0], problem.cuts[:, 1]
        self.signed = np.ones(self.count, dtype=bool)  # which multipliers may not be negative
        self.signed[: self.neurons] = self.signed[-1] = False
        self._pairs = self._pair_matrices()

    def _pair_matrices(self) -> tuple[scipy.sparse.csr_array, scipy.sparse.csr_array]:
        """a_k and b_k of every constraint over the base forms (zeta, omega, one, extras), (m, 2 n + 1 + K) each."""
        n, one = self.neurons, 2 * self.neurons
        base = len(self.forms)
        # Over the base forms: zeta, omega, t = one - zeta - omega, one and the extras, by form index.
        unit = scipy.sparse.eye_array(base, format="csr")
        zeta, omega = unit[:n], unit[n:one]
        ones = scipy.sparse.csr_array((np.ones(n), (np.arange(n), np.full(n, one))), shape=(n, base))
        every = scipy.sparse.vstack([zeta, omega, ones - zeta - omega, unit[one:]], format="csr")
        first = [zeta, zeta, omega, every[self.first], unit[[one]]]
        second = [omega, ones - zeta, ones - omega, every[self.second], unit[[one]]]
        return scipy.sparse.vstack(first, format="csr"), scipy.sparse.vstack(second, format="csr")

    def adjoint(self, multipliers: np.ndarray) -> np.ndarray:
        """A*(y) (N, N) of multipliers y (m,)."""
        n, first, second = self.neurons, *self._pairs
        half = first.T @ scipy.sparse.diags_array(0.5 * multipliers) @ second
        images = (half + half.T) @ self.forms
        found = lower_product(np.ascontiguousarray(self.omega.T), images[n : 2 * n])
        count = self.zetas.stop - self.zetas.start
        found[self.zetas] += images[:count]
        if count < n:
            found += self.problem.g[:, None] * images[n - 1]
        found[0] += images[2 * n]
        if len(self.extras):
            found += self.extras.T @ images[2 * n + 1 :]
        return mirror(found)

    def rows(self, matrix: np.ndarray) -> np.ndarray:
        """The zeta forms times a matrix (N, ...)."""
        picked = matrix[self.zetas]
        return np.concatenate([picked, (self.problem.g @ matrix)[None]]) if len(picked) < self.neurons else picked

    def gram(self, matrix: np.ndarray) -> Gram:
        """The inner products of the forms in a symmetric matrix (N, N)."""
        columns = matrix @ self.omega.T
        along = self.rows(matrix)
        found = Gram(
            columns=columns, zz=self.rows(along.T), zw=self.rows(columns), ww=symmetric_product(self.omega, columns),
            z0=along[:, 0].copy(), w0=columns[0].copy(), oo=float(matrix[0, 0]), extras=matrix @ self.extras.T,
        )  # fmt: skip
        if self.cuts:
            object.__setattr__(found, "table", self.table(found))
        return found

    def table(self, gram: Gram) -> np.ndarray:
        """The inner products of all forms, by form index, (3 n + 1 + K, 3 n + 1 + K)."""
        n = self.neurons
        z, w, t, rest = slice(0, n), slice(n, 2 * n), slice(2 * n, 3 * n), slice(3 * n + 1, None)
        table = np.empty((3 * n + 1 + len(self.extras),) * 2)
        table[z, z], table[z, w], table[w, w] = gram.zz, gram.zw, gram.ww
        table[z, 3 * n], table[w, 3 * n], table[3 * n, 3 * n] = gram.z0, gram.w0, gram.oo
        table[z, rest], table[w, rest] = self.rows(gram.extras), self.omega @ gram.extras
        table[3 * n, rest], table[rest, rest] = gram.extras[0], self.extras @ gram.extras
        table[w, z] = gram.zw.T
        for place in (z, w):
            table[place, t] = table[place, 3 * n][:, None] - table[place, z] - table[place, w]
            table[t, place] = table[place, t].T
        for place in (slice(3 * n, 3 * n + 1), rest):
            table[place, z], table[place, w] = table[z, place].T, table[w, place].T
        table[rest, 3 * n] = table[3 * n, rest]
        last = slice(3 * n, None)
        table[t, last] = table[3 * n, last] - table[z, last] - table[w, last]
        table[last, t] = table[t, last].T
        table[t, t] = table[3 * n, t] - table[z, t] - table[w, t]
        return table

    def values(self, gram: Gram) -> np.ndarray:
        """A(X) (m,)."""
        zw, zz, ww = (np.diagonal(part) for part in (gram.zw, gram.zz, gram.ww))
        cuts = gram.table[self.first, self.second] if self.cuts else np.zeros(0)
        return np.concatenate([zw, gram.z0 - zz, gram.w0 - ww, cuts, [gram.oo]])

    def values_of_product(self, left: np.ndarray, right: np.ndarray, gram: Gram) -> np.ndarray:
        """A(sym(P Z)) (m,) for a matrix P = `left` and a symmetric Z = `right` with its Gram products."""
        by_zeta, by_omega = self.rows(left), self.omega @ left
        zetas, omegas = self.rows(right), gram.columns.T
        one_left, one_right = left[0], right[0]

        def along(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            return np.einsum("ij,ij->i", a, b)

        zw = (along(by_zeta, omegas) + along(by_omega, zetas)) / 2
        z0, w0 = (by_zeta @ one_right + zetas @ one_left) / 2, (by_omega @ one_right + omegas @ one_left) / 2
        boxes = (z0 - along(by_zeta, zetas), w0 - along(by_omega, omegas))
        cuts = np.zeros(0)
        if self.cuts:
            lefts = np.concatenate([by_zeta, by_omega, one_left - by_zeta - by_omega, left[:1], self.extras @ left])
            rights = np.concatenate([zetas, omegas, one_right - zetas - omegas, right[:1], gram.extras.T])
            a, b = self.first, self.second
            cuts = (along(lefts[a], rights[b]) + along(lefts[b], rights[a])) / 2
        return np.concatenate([zw, *boxes, cuts, [one_left @ one_right]])

    def schur(self, x: Gram, z: Gram, out: np.ndarray) -> np.ndarray:
        """The lower triangle, at least, of Schur's matrix (m, m), written into `out`."""
        n = self.neurons
        height = max(16, min(n, _STRIP // max(n, 1)))
        for start in range(0, n, height):
            stop = min(start + height, n)
            in_x, in_z = x.box(slice(start, stop)), z.box(slice(start, stop))
            for row, (p, q) in enumerate(_KINDS):
                for column, (r, s) in enumerate(_KINDS[: row + 1]):
                    end = n if row > column else stop
                    target = out[row * n + start : row * n + stop, column * n : column * n + end]
                    lefts = (in_x[q + r], in_x[q + s], in_x[p + r], in_x[p + s])
                    rights = (in_z[p + s], in_z[p + r], in_z[q + s], in_z[q + r])
                    _products(target, lefts, rights)
        self._bound_row(x, z, out)
        if self.cuts:
            self._cut_rows(x, z, out)
        return out

    def _bound_row(self, x: Gram, z: Gram, out: np.ndarray) -> None:
        """The last row: the constant one with itself against every other constraint."""
        n = self.neurons
        out[-1, :n] = (x.z0 * z.w0 + x.w0 * z.z0) / 2
        out[-1, n : 2 * n] = (x.z0 * (z.oo - z.z0) + (x.oo - x.z0) * z.z0) / 2
        out[-1, 2 * n : 3 * n] = (x.w0 * (z.oo - z.w0) + (x.oo - x.w0) * z.w0) / 2
        out[-1, -1] = x.oo * z.oo
        if self.cuts:
            in_x, in_z = x.table[3 * n], z.table[3 * n]
            a, b = self.first, self.second
            out[-1, 3 * n : -1] = (in_x[a] * in_z[b] + in_x[b] * in_z[a]) / 2

    def _cut_rows(self, x: Gram, z: Gram, out: np.ndarray) -> None:
        """The cuts against the neurons' constraints and against each other."""
        n = self.neurons
        place = slice(3 * n, 3 * n + self.cuts)
        a, b = self.first, self.second
        ax, bx, az, bz = x.table[a], x.table[b], z.table[a], z.table[b]
        zeta, omega = slice(0, n), slice(n, 2 * n)
        one = 3 * n
        for column, (r, s) in enumerate(((zeta, omega), (zeta, None), (omega, None))):
            ends = [part[:, s] if s is not None else part[:, one : one + 1] - part[:, r] for part in (ax, bx, az, bz)]
            starts = [part[:, r] for part in (ax, bx, az, bz)]
            target = out[place, column * n : (column + 1) * n]
            _products(target, (starts[1], ends[1], starts[0], ends[0]), (ends[2], starts[2], ends[3], starts[3]))
        aa_x, ab_x, bb_x, aa_z, ab_z, bb_z = ax[:, a], ax[:, b], bx[:, b], az[:, a], az[:, b], bz[:, b]
        _products(out[place, place], (ab_x.T, bb_x, aa_x, ab_x), (ab_z, aa_z, bb_z, ab_z.T))


def _products(out: np.ndarray, lefts: tuple[np.ndarray, ...], rights: tuple[np.ndarray, ...]) -> None:
    """A quarter of the sum of four products, entry by entry, into `out`, which may have fewer columns."""
    width = out.shape[1]
    np.multiply(lefts[0][:, :width], rights[0][:, :width], out=out)
    for left, right in zip(lefts[1:], rights[1:], strict=True):
        out += left[:, :width] * right[:, :width]
    out *= 0.25


def iteration_seconds(problem: Relaxation) -> float:
    """About how long one iteration of the solver takes for a problem, before any is measured."""
    size, neurons = problem.size, problem.neurons
    count = 3 * neurons + len(problem.cuts) + 1
    operations = 22 * size**3 + 12 * size * size * neurons + count**3 / 3 + 60 * count * count
    return 2e-3 + operations / _OPERATIONS
