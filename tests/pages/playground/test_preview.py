"""What the browser draws while the point moves is what Python finds there: compared at 1,000 points."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import relucert_core as rc
from relucert_core.experiments.showcase import load_run
from relucert_core.planar.preview import preview_data
from relucert_core.words import down
from tests.pages import javascript

BOX = ((-1.25, 1.25), (-1.25, 1.25))
LOOK = """
  const geometry = readGeometry(data.geometry);
  return data.points.map((u) => {
    const seen = lookAt(geometry, u);
    const region = regionAt(seen.faces, u, data.geometry.box);
    const area = region.polygon.reduce((sum, p, i) => {
      const q = region.polygon[(i + 1) % region.polygon.length];
      return sum + (p[0] * q[1] - q[0] * p[1]) / 2;
    }, 0);
    const limit = seen.kind === "face" ? [seen.limit.layer, seen.limit.neuron] : [seen.limit.rival];
    return {
      prediction: seen.prediction, radius: seen.radius, kind: seen.kind, limit, face: seen.faceDistance,
      plane: seen.decisionDistance, exact: seen.exact.distance, boundary: seen.boundary, area, foot: seen.foot,
    };
  });
"""


def random_net(seed, shape):
    rng = np.random.default_rng(seed)
    pairs = list(itertools.pairwise(shape))
    return rc.Network([rng.standard_normal((n, m)) for m, n in pairs], [0.3 * rng.standard_normal(n) for _, n in pairs])


def nets():
    yield "trained", load_run("moons-simplex").network, 300
    yield "five thousand regions", load_run("spirals-many").network, 200
    yield "two layers", load_run("circles-two-layers").network, 200
    yield "dead and copied neurons", load_run("dead-neuron").network, 100
    yield "four classes, four layers", random_net(3, (2, 8, 6, 7, 4)), 200


def looked(net, points):
    plane = rc.planar_complex(net, BOX)
    data = {"geometry": preview_data(plane), "points": points.tolist()}
    return plane, javascript.run(["shared/plane_core.js"], LOOK, data)


@pytest.mark.parametrize(("name", "net", "count"), list(nets()), ids=lambda v: v if isinstance(v, str) else "")
def test_preview_is_what_python_finds(name, net, count):
    points = np.random.default_rng(len(name)).uniform(-1.2, 1.2, (count, 2))
    plane, seen = looked(net, points)
    certificates = list(rc.certify(net, points))
    assert [s["prediction"] for s in seen] == [c.prediction for c in certificates]
    radii = np.array([s["radius"] for s in seen])
    certified = np.array([c.radius for c in certificates])
    np.testing.assert_allclose(radii, certified, rtol=1e-9, atol=1e-9)
    exact, _, proven = plane.boundary_distance(points)
    assert proven.all()
    np.testing.assert_allclose([s["exact"] for s in seen], exact, rtol=1e-9, atol=1e-9)
    regions = plane.locate(points)
    np.testing.assert_allclose([s["area"] for s in seen], plane.areas[regions], rtol=1e-6, atol=1e-10)
    for s, c in zip(seen, certificates, strict=True):
        check_limit(s, c)
    if net.depth == 2:
        bound = [rc.certify(net, p, method="decision-boundary").radius for p in points]
        np.testing.assert_allclose([s["boundary"] for s in seen], bound, rtol=1e-9, atol=1e-9)
    else:
        assert all(s["boundary"] is None for s in seen)


def check_limit(seen, certificate):
    """The same case of Figure 1 and the same neuron or class, except where two are equally near."""
    ordered = sorted([seen["face"], seen["plane"]])
    if math.isclose(*ordered, rel_tol=1e-9):
        return
    limit = certificate.limit
    assert seen["kind"] == ("face" if limit.kind == "face" else "plane")
    if limit.kind == "class":
        assert seen["limit"] == [limit.rival]
    elif seen["limit"] != [limit.layer, limit.neuron]:  # a copied neuron draws the same face
        np.testing.assert_allclose(seen["foot"], certificate.nearest, rtol=1e-6, atol=1e-6)


def test_corners_and_faces_of_the_pattern_give_no_nonsense():
    """On a vertex of the subdivision the preview's radius is 0 or next to it, and never NaN."""
    net = load_run("moons-figure").network
    plane = rc.planar_complex(net, BOX)
    inner = plane.vertices[(np.abs(plane.vertices) < 1.2).all(1)][:50]
    _, seen = looked(net, inner)
    assert all(s["radius"] < 1e-7 for s in seen)
    assert all(math.isfinite(s["area"]) for s in seen)


def test_a_point_far_outside_the_box_has_its_circles_too():
    """Faces and boundaries beyond the box count: nothing is cut off by it."""
    net = load_run("moons-plain").network
    points = np.array([[4.0, 4.0], [-6.0, 2.0], [1.25, 1.25], [0.0, -7.5]])
    plane, seen = looked(net, points)
    np.testing.assert_allclose([s["radius"] for s in seen], rc.certify(net, points).radius, rtol=1e-9)
    np.testing.assert_allclose([s["exact"] for s in seen], plane.boundary_distance(points)[0], rtol=1e-9)


def test_printed_preview_is_cut_off_downward():
    numbers = [0.0599, 0.37999, 1.0, 12.34, 0.00012345, 0, 0.1, 0.29]
    words = javascript.run(["shared/plane_draw.js"], "return data.map(v => shortNumber(v));", numbers)
    assert words == [down(v, 3) for v in numbers]
