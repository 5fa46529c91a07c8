"""What the walk over regions still has to look at, nearest first, in bounded memory."""

from __future__ import annotations

import heapq
import math

import numpy as np

_DTYPE = np.dtype([("key", "<f8"), ("region", "<i4"), ("move", "<i4")])
_MANTISSA = 52 - 9  # the bits of a key that do not count for its bucket: 512 buckets from one power of 2 to the next
_SPREAD = 4  # buckets


class Frontier:
    """Moves (key, region, move) in buckets of keys that differ by at most 0.2 %; within a bucket the last is the first.

    Most moves have the key of some region, and thousands share it: sorting them would cost more than looking at them.
    `horizon` starts at infinity; when more than `limit` moves wait, the farthest half is dropped and the horizon sinks
    to the smallest key dropped: nothing with a key below the horizon is ever lost.
    """

    def __init__(self, limit: int) -> None:
        self.limit, self.horizon = limit, math.inf
        self._buckets: dict[int, list[np.ndarray]] = {}
        self._order: list[int] = []  # a heap of the buckets' numbers
        self._floors: dict[int, float] = {}  # the smallest key that was ever put into a bucket
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def least(self) -> float:
        """A lower bound on the keys that wait or were dropped, at most 0.2 % below them; infinite if there are none."""
        return min(self._floors[self._order[0]], self.horizon) if self._order else self.horizon

    def push(self, keys: np.ndarray, regions: np.ndarray, moves: np.ndarray) -> None:
        """Add moves with keys of at least 0; those at or beyond the horizon are forgotten, which it accounts for."""
        rows = np.empty(len(keys), _DTYPE)
        rows["key"], rows["region"], rows["move"] = keys, regions, moves
        if self.horizon < math.inf:
            rows = rows[rows["key"] < self.horizon]
        self._put(rows)
        if len(self) > self.limit:
            self._shrink()

    def pop(self, count: int) -> np.ndarray:
        """Up to `count` moves of the lowest buckets, removed; a structured array with key, region and move.

        No key is more than 1 % above the smallest: to mix near and far moves would waste the far ones.
        """
        taken: list[np.ndarray] = []
        missing, last = count, self._order[0] + _SPREAD if self._order else 0
        while missing and self._order and self._order[0] <= last:
            parts = self._buckets[self._order[0]]
            rows = parts.pop()
            if len(rows) > missing:
                parts.append(rows[:-missing])
                rows = rows[-missing:]
            if not parts:
                lowest = heapq.heappop(self._order)
                del self._buckets[lowest], self._floors[lowest]
            taken.append(rows)
            missing -= len(rows)
        self._count -= count - missing
        return np.concatenate(taken) if taken else np.zeros(0, _DTYPE)

    def trim(self, upper: float) -> None:
        """Forget the moves at or above an upper bound: they cannot lead to anything nearer."""
        border = int(_bucket_of(np.array([upper]))[0])
        cut = [np.concatenate(self._buckets[bucket]) for bucket in self._order if bucket == border]
        for bucket in [bucket for bucket in self._order if bucket >= border]:
            self._count -= sum(map(len, self._buckets[bucket]))
            del self._buckets[bucket], self._floors[bucket]
        self._order = sorted(self._buckets)
        for rows in cut:
            self._put(rows[rows["key"] < upper])

    def _put(self, rows: np.ndarray) -> None:
        """Sort moves into the buckets."""
        if not len(rows):
            return
        buckets = _bucket_of(rows["key"])
        order = np.argsort(buckets, kind="stable")
        rows, buckets = rows[order], buckets[order]
        begins = np.flatnonzero(np.concatenate([[True], buckets[1:] != buckets[:-1]]))
        floors = np.minimum.reduceat(rows["key"], begins).tolist()
        ends = [*begins[1:].tolist(), len(rows)]
        for bucket, floor, begin, end in zip(buckets[begins].tolist(), floors, begins.tolist(), ends, strict=True):
            if bucket not in self._buckets:
                self._buckets[bucket], self._floors[bucket] = [], math.inf
                heapq.heappush(self._order, bucket)
            self._buckets[bucket].append(rows[begin:end].copy())  # a view would keep the whole batch in memory
            self._floors[bucket] = min(self._floors[bucket], floor)
        self._count += len(rows)

    def _shrink(self) -> None:
        """Keep the nearer half, and remember from where on moves are missing."""
        keys = np.concatenate([rows["key"] for parts in self._buckets.values() for rows in parts])
        self.horizon = float(np.partition(keys, self.limit // 2)[self.limit // 2])
        self.trim(self.horizon)


def _bucket_of(keys: np.ndarray) -> np.ndarray:
    """The buckets of keys of at least 0: their leading bits, which are in the order of the keys."""
    return np.ascontiguousarray(keys, dtype=np.float64).view(np.int64) >> _MANTISSA
