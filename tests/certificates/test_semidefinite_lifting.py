"""Reduced problems: which neurons they lift, and that they never promise more than the whole one."""

import numpy as np
import pytest
import torch

from relucert_core.certificates.semidefinite.forms import margin_rows, relax
from relucert_core.certificates.semidefinite.lifting import Chooser, _surrogate
from relucert_core.certificates.semidefinite.solver import GAP, solve
from relucert_core.certificates.semidefinite.substitution import Frame, Substitution
from tests.certificates.semidefinite_problems import interval_bounds, network


def choosers(widths, radius, rng, count):
    while count:
        net, point = network(widths, rng), rng.standard_normal(widths[0])
        frame = Frame.around(net, torch.from_numpy(point))
        rival = (frame.label + 1) % 3
        bounds = interval_bounds(net, frame, radius)
        chooser = Chooser(frame, bounds, radius, rival)
        found = list(chooser.choices())
        if found:
            count -= 1
            yield frame, rival, bounds, chooser, found


@pytest.mark.parametrize("widths", [(5, 12), (5, 10, 12), (4, 6, 9, 9)], ids=str)
def test_choices_are_subsets_that_grow_and_never_promise_more(widths):
    rng = np.random.default_rng(sum(widths))
    for frame, rival, bounds, _, found in choosers(widths, 0.15, rng, 3):
        sizes = [sum(int(part.sum()) for part in lifting.lifted) for lifting in found]
        assert sizes == sorted(sizes)
        whole = solve(relax(frame, rival, bounds, 0.15), gap=1e-5)
        for lifting in found:
            for kept, wide, slopes in zip(lifting.lifted, bounds.open, lifting.slopes, strict=True):
                assert not (kept & ~wide).any()
                assert ((slopes >= 0) & (slopes <= 1)).all()
            problem = relax(frame, rival, bounds, 0.15, lifting)
            if problem is None:
                continue
            reduced = solve(problem, gap=1e-5)
            if reduced.status == whole.status == GAP:
                assert reduced.value <= whole.value * (1 + 1e-3) + 1e-6


def test_the_gradient_of_the_reduced_margin_is_its_slope():
    rng = np.random.default_rng(1)
    for frame, rival, bounds, chooser, found in choosers((5, 10, 12), 0.15, rng, 3):
        work = Substitution(frame, bounds, found[-1], 0.15)
        margin, neurons = margin_rows(work, rival)
        where, step = 0.05 * rng.standard_normal(5), 1e-7 * rng.standard_normal(5)
        for value in (lambda d, m=margin, n=neurons: _surrogate(m, n, d)[:2], lambda d, c=chooser: c._margin(d)[:2]):
            before, gradient = value(where)
            after = value(where + step)[0]
            assert after - before == pytest.approx(gradient @ step, rel=1e-3, abs=1e-12)
