"""Positive semidefinite or not, in rational arithmetic: LDL^T without rounding."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def positive_semidefinite(rows: Sequence[Sequence[Fraction]]) -> bool:
    """Is the symmetric matrix of fractions positive semidefinite? By exact symmetric elimination.

    A pivot below 0 says no; so does a pivot of 0 with an entry beside it, since the 2 x 2 minor is then negative.
    """
    a = [list(row) for row in rows]
    size = len(a)
    for k in range(size):
        if a[k][k] < 0 or (a[k][k] == 0 and any(a[i][k] for i in range(k + 1, size))):
            return False
        for i in range(k + 1, size):
            if a[i][k]:
                factor = a[i][k] / a[k][k]
                for j in range(k + 1, size):
                    a[i][j] -= factor * a[k][j]
    return True
