"""Segments joined into long lines: the same segments, in as few lines from left to right as there can be."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import relucert_core as rc
from relucert_core.planar.polylines import polylines
from tests.planar_nets import named_net

POINT = st.tuples(st.integers(-3, 3), st.integers(-3, 3))


def lines_of(rows: np.ndarray) -> list[list[tuple[float, float]]]:
    lines: list[list[tuple[float, float]]] = [[]]
    for x, y in rows.tolist():
        if np.isnan(x):
            lines.append([])
        else:
            lines[-1].append((x, y))
    assert not lines[-1], "a gap ends every line"
    return lines[:-1]


def drawn(lines: list[list[tuple[float, float]]]) -> Counter:
    return Counter(tuple(sorted(pair)) for line in lines for pair in pairwise(line))


@given(st.lists(st.tuples(POINT, POINT), max_size=60))
def test_the_same_segments_in_the_fewest_lines(segments):
    lines = lines_of(polylines(np.array(segments, dtype=float).reshape(-1, 2, 2)))
    real = [tuple(sorted(s)) for s in segments if s[0] != s[1]]
    assert drawn(lines) == Counter(real)
    assert all(line == sorted(line) for line in lines), "from left to right"
    out, into = Counter(s[0] for s in real), Counter(s[1] for s in real)
    assert len(lines) == sum(max(0, out[p] - into[p]) for p in out)


def test_the_edges_of_a_plane_become_few_lines():
    plane = rc.planar_complex(named_net("w64x3"), ((-1, 1), (-1, 1)))
    for layer in range(3):
        ends = plane.vertices[plane.edges.ends[plane.edges.neurons[:, 0] == layer]]
        lines = lines_of(polylines(ends))
        assert sum(drawn(lines).values()) == len(ends)
        assert len(lines) < len(ends) / 10
