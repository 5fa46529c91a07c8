import math

import numpy as np
import pytest

import relucert_core as rc
from relucert_core.certificates.result import LOWER_BOUND, Certificate, CertificateBatch


def certificate(radius: float, upper: float) -> Certificate:
    return Certificate("simplex", 2.0, radius, LOWER_BOUND, "ok", 0, 0, upper=upper)


SHARES = [
    (0.5, 2.0, 0.25),
    (1.0, 1.0, 1.0),
    (0.0, 3.0, 0.0),
    (0.7, math.inf, 0.0),
    (0.0, math.inf, 0.0),
    (math.inf, math.inf, math.nan),
    (0.0, 0.0, math.nan),
]


@pytest.mark.parametrize(("radius", "upper", "share"), SHARES)
def test_the_ratio_is_the_proved_share_of_the_distance(radius, upper, share):
    assert certificate(radius, upper).ratio == pytest.approx(share, nan_ok=True)


def test_a_batch_has_one_ratio_a_point():
    batch = CertificateBatch(tuple(certificate(radius, upper) for radius, upper, _ in SHARES))
    np.testing.assert_array_equal(batch.ratio, [share for *_, share in SHARES])
    assert batch.ratio.dtype == np.float64


def test_a_search_fills_it_in():
    net = rc.Network([np.eye(2), np.array([[1.0, 0.0], [0.0, 1.0]])], [np.zeros(2), np.zeros(2)])
    cert = rc.certify(net, np.array([2.0, 1.0]), method="exact")
    assert cert.ratio == cert.radius / cert.upper
    assert cert.ratio > 1 - 1e-6
    assert math.isnan(rc.certify(net, np.array([1.0, 1.0]), method="exact").ratio)  # a tie: both are 0
