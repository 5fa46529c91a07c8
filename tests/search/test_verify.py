"""verify: robust, broken or unknown, each proved, against the exact distance."""

import math

import numpy as np
import pytest

import relucert_core as rc
from relucert_core.errors import InvalidInput


@pytest.fixture(scope="module")
def plain_case():
    """|x_1| in two dimensions: class 1 where |x_1| >= 1, at distance exactly 1 from the origin."""
    net = rc.Network([[[1.0, 0.0], [-1.0, 0.0]], [[0.0, 0.0], [1.0, 1.0]]], [[0.0, 0.0], [1.0, 0.0]])
    return net, np.array([0.0, 0.0])


@pytest.mark.parametrize("norm", [1, 2, math.inf])
def test_both_answers_are_proved(plain_case, norm):
    net, x = plain_case
    robust = rc.verify(net, x, 0.9, norm, max_seconds=5)
    assert (robust.answer, robust.witness, robust.robust) == ("robust", None, True)
    broken = rc.verify(net, x, 1.1, norm, max_seconds=5)
    assert broken.answer == "broken"
    assert abs(broken.witness[0]) >= 1
    assert np.linalg.norm(broken.witness - x, norm) <= 1.1


def test_the_sphere_itself_is_not_robust(plain_case):
    net, x = plain_case
    assert rc.verify(net, x, 1.0, max_seconds=2).answer != "robust"


def test_a_wrong_label_is_broken_at_once(plain_case):
    net, x = plain_case
    verdict = rc.verify(net, x, 0.0, label=1)
    assert verdict.answer == "broken"
    np.testing.assert_array_equal(verdict.witness, x)


def test_no_time_is_unknown_or_better():
    net, x = rc.load_model("mnist-1024-512"), rc.mnist_sample()[0][0]
    assert rc.verify(net, x, 0.5, max_seconds=0.0).answer == "unknown"
    assert rc.verify(net, x, 1e-6).robust


@pytest.mark.parametrize("eps", [-1, math.nan, math.inf, "1", None, True])
def test_a_bad_eps_is_refused(plain_case, eps):
    with pytest.raises(InvalidInput, match="eps must be"):
        rc.verify(*plain_case, eps)
