"""What the walk over regions still has to look at, nearest first, in bounded memory."""

from __future__ import annotations

import math

import numpy as np

_DTYPE = np.dtype([("key", "<f8"), ("region", "<i4"), ("move", "<i4")])
_LARGE = 20_000  # moves in the near part that a pop may have to look through
_SHARE = 16  # the near part is refilled with this share of what waits


class Frontier:
    """Moves (key, region, move), split into a near part, searched at every pop, and a far part of larger keys.

    `horizon` starts at infinity; when more than `limit` moves wait, the farthest half is dropped and the horizon sinks
    to the smallest key dropped: nothing with a key below the horizon is ever lost.
    """

    def __init__(self, limit: int) -> None:
        self.limit, self.horizon = limit, math.inf
        self._near, self._far = np.zeros(0, _DTYPE), np.zeros(0, _DTYPE)
        self._fresh: list[np.ndarray] = []
        self._border = -math.inf  # the near part has all keys up to here

    def __len__(self) -> int:
        return len(self._near) + len(self._far) + sum(map(len, self._fresh))

    @property
    def least(self) -> float:
        """The smallest key that waits or was dropped, infinite if there is none."""
        self._fill(1)
        return min(float(self._near["key"].min(initial=math.inf)), self.horizon)

    def push(self, keys: np.ndarray, regions: np.ndarray, moves: np.ndarray) -> None:
        """Add moves; those at or beyond the horizon are forgotten, which the horizon accounts for."""
        rows = np.empty(len(keys), _DTYPE)
        rows["key"], rows["region"], rows["move"] = keys, regions, moves
        rows = rows[rows["key"] < self.horizon]
        near = rows["key"] <= self._border
        if near.any():
            self._near = np.concatenate([self._near, rows[near]])
        if not near.all():
            self._fresh.append(rows[~near])
        if len(self) > self.limit:
            self._shrink()

    def pop(self, count: int) -> np.ndarray:
        """The `count` moves of smallest key (or all), removed; a structured array with key, region and move."""
        self._fill(count)
        if len(self._near) <= count:
            taken, self._near = self._near, np.zeros(0, _DTYPE)
            return np.sort(taken, order="key")
        if len(self._near) > _LARGE and len(self._near) > 64 * count:
            self._split(16 * count)
        order = np.argpartition(self._near["key"], count)
        taken, self._near = self._near[order[:count]], self._near[order[count:]]
        return taken

    def trim(self, upper: float) -> None:
        """Forget the moves at or above an upper bound: they cannot lead to anything nearer."""
        self._near, self._far = (part[part["key"] < upper] for part in (self._near, self._gathered()))

    def _gathered(self) -> np.ndarray:
        """The far part as one array."""
        if self._fresh:
            self._far, self._fresh = np.concatenate([self._far, *self._fresh]), []
        return self._far

    def _fill(self, count: int) -> None:
        """Bring moves from the far to the near part when that has fewer than `count`."""
        if len(self._near) >= count or not len(self):
            return
        far = self._gathered()
        wanted = max(4 * count, len(far) // _SHARE)
        if wanted >= len(far):
            self._border, chosen = math.inf, np.ones(len(far), dtype=bool)
            self._border = float(far["key"].max(initial=self._near["key"].max(initial=0.0)))
        else:
            self._border = float(np.partition(far["key"], wanted)[wanted])
            chosen = far["key"] <= self._border
        self._near, self._far = np.concatenate([self._near, far[chosen]]), far[~chosen]

    def _split(self, count: int) -> None:
        """Keep about `count` moves near, the rest becomes far."""
        self._border = float(np.partition(self._near["key"], count)[count])
        near = self._near["key"] <= self._border
        self._fresh.append(self._near[~near])
        self._near = self._near[near]

    def _shrink(self) -> None:
        """Keep the nearer half, and remember from where on moves are missing."""
        everything = np.concatenate([self._near, self._gathered()])
        self.horizon = float(np.partition(everything["key"], self.limit // 2)[self.limit // 2])
        self._near = self._near[self._near["key"] < self.horizon]
        self._far = self._far[self._far["key"] < self.horizon]
