"""The contract of the solver calls: finite numbers of the promised shapes, or None, whatever comes in."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import relucert_core as rc
from relucert_core.search.half_spaces import propose_by_program, propose_weights
from relucert_core.solvers import linear_program, nonnegative_least_squares, smallest_step

GOOD = np.array([[1.0, 2.0, 0.5], [0.0, 1.0, -1.0]])
MATRICES = {
    "no columns": np.zeros((3, 0)),
    "no rows": np.zeros((0, 3)),
    "nothing": np.zeros((0, 0)),
    "NaN": np.full((2, 3), np.nan),
    "infinite": np.full((2, 3), np.inf),
    "one NaN": np.where(GOOD == 2.0, np.nan, GOOD),
    "zero": np.zeros((2, 3)),
    "tiny": GOOD * 1e-165,
    "smallest": np.full((2, 3), 5e-324),
    "huge": GOOD * 1e300,
    "both": GOOD * np.array([1e-200, 1e200, 1.0]),
    "rank 1": np.ones((4, 50)),
    "ordinary": GOOD,
}


def check(answer, *shapes):
    if answer is not None:
        for part, shape in zip(answer, shapes, strict=True):
            assert np.shape(part) == shape
            assert np.isfinite(part).all()


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e300, np.nan])
def test_every_call_answers_or_gives_none(name, scale):
    matrix = MATRICES[name]
    m, n = matrix.shape
    check(nonnegative_least_squares(matrix, np.full(m, scale)), (n,), ())
    check(linear_program(np.full(n, scale), matrix, np.ones(m), np.full(n, 10.0)), (n,), (m,))
    check(linear_program(np.ones(n), matrix, np.full(m, scale), np.full(n, np.inf)), (n,), (m,))
    for norm in (1.0, 2.0, np.inf):
        step, status = smallest_step(matrix, np.full(m, scale), norm)
        assert (step is None) == bool(status)
        check(None if step is None else (step,), (n,))
    assert propose_weights(matrix, np.full(m, scale)).shape == (m,)
    for dual in (1.0, np.inf):
        weights, point = propose_by_program(matrix, np.full(m, scale), dual)
        assert weights.shape == (m,)
        assert point.shape == (n,)


def test_ordinary_programs_are_solved():
    weights, left = nonnegative_least_squares(np.eye(2), np.array([3.0, -1.0]))
    np.testing.assert_allclose(weights, [3.0, 0.0])
    assert left == pytest.approx(1.0)
    x, slopes = linear_program(np.array([-1.0, -1.0]), np.array([[1.0, 2.0]]), np.array([4.0]), np.full(2, 3.0))
    np.testing.assert_allclose(x, [3.0, 0.5])
    np.testing.assert_allclose(slopes, [0.5])
    for norm, size in ((1.0, 0.5), (2.0, 1 / np.sqrt(5)), (np.inf, 1 / 3)):
        step, _ = smallest_step(np.array([[1.0, 2.0]]), np.ones(1), norm)
        assert np.linalg.norm(step, norm) == pytest.approx(size, rel=1e-6)
    assert smallest_step(np.array([[1.0], [-1.0]]), np.ones(2), 2.0)[1] == "infeasible"


def test_tiny_and_huge_weights_do_not_take_the_process_down_and_nothing_else_is_printed():
    """Weights of 1e-165 made the search call least squares with an empty matrix, which aborts inside SciPy.

    HiGHS announces itself on file descriptor 1 when its first object is made.
    """
    script = """
import numpy as np, relucert_core as rc
rng = np.random.default_rng(0)
shapes = ((6, 4), (5, 6), (3, 5))
for exponent in (-165, 150):
    net = rc.Network([10.0**exponent * rng.normal(size=s) for s in shapes], [np.zeros(n) for n, _ in shapes])
    for method, norm in (("exact", 2), ("neighbours", 1), ("neighbours", 2), ("neighbours", np.inf)):
        c = rc.certify(net, rng.normal(size=4), method, norm, max_regions=20, max_seconds=5)
        assert 0 <= c.radius <= c.upper, (method, norm, c)
net = rc.Network([rng.normal(size=(6, 4)), rng.normal(size=(3, 6))], [rng.normal(size=6), rng.normal(size=3)])
for norm in (1, 2, np.inf):
    rc.region_distance(net, rng.normal(size=4), norm)
    rc.certify(net, rng.normal(size=4), "neighbours", norm, max_regions=20)
"""
    root = Path(__file__).parents[1]
    run = subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=root, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout == ""


@pytest.mark.parametrize("exponent", [100, 149, 155, 200, 307])
def test_huge_boxes_of_the_plane_are_cut_or_refused(exponent):
    rng = np.random.default_rng(0)
    net = rc.Network([rng.normal(size=(8, 2)), rng.normal(size=(3, 8))], [rng.normal(size=8), rng.normal(size=3)])
    side = 10.0**exponent
    if exponent > 150:
        with pytest.raises(ValueError, match="box"):
            rc.planar_complex(net, ((-side, side), (-side, side)))
    else:
        assert len(rc.planar_complex(net, ((-side, side), (-side, side)))) > 1
    steep = rc.Network([1e200 * w for w in net.weights], [0 * b for b in net.biases])
    with pytest.raises(ValueError, match=r"overflow|box"):
        rc.planar_complex(steep, ((-side, side), (-side, side)))
