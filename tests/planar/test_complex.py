"""The exact subdivision: closed forms, then 300 random networks against what must hold, then the slow oracle."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.network import Network
from relucert_core.planar import OverBudget, PlanarComplex, planar_complex
from tests import oracles_planar as oracle
from tests.planar_nets import KINDS, STARTS, STORED, named_net, random_net, start_net, strips

BOX = ((-1.0, 1.0), (-1.0, 1.0))
ODD_BOX = ((-1.5, 0.7), (-0.4, 2.1))


def lines(rows: list, offsets: list) -> Network:
    """A network whose first layer draws the given lines."""
    weight = np.array(rows, float)
    return Network([weight, np.ones((2, len(weight))) * [[1], [-1]]], [offsets, [0.0, 0.1]])


@pytest.mark.parametrize(
    ("rows", "offsets", "count"),
    [
        ([[1, 0]], [0.0], 2),
        ([[1, 0], [0, 1]], [0.0, 0.0], 4),
        ([[1, 0], [1, 0], [1, 0]], [0.5, 0.0, -0.5], 4),  # parallel
        ([[1, 0], [2, 0], [-3, 0]], [0.0, 0.0, 0.0], 2),  # one line three times
        ([[1, 0], [0, 1], [1, 1], [1, -1]], [0.0, 0, 0, 0], 8),  # four lines through one point
        ([[1, 1], [1, -1]], [0.0, 0.0], 4),  # through the corners of the box
        ([[1, 0], [0, 0], [0, 0]], [1.0, 1.0, 0.0], 1),  # along an edge of the box, and two dead neurons
        ([[1, 0], [0, 1], [1, 1]], [0.0, 0.0, -0.5], 7),  # three lines in general position
        ([[0, 0]], [0.0], 1),
        ([[1, 0]], [5.0], 1),
    ],
)
def test_arrangements_of_lines_have_the_regions_of_the_textbook(rows: list, offsets: list, count: int) -> None:
    plane = planar_complex(lines(rows, offsets), BOX)
    assert len(plane) == count
    check_mesh(plane, 4.0)


def test_a_second_layer_bends_at_the_first() -> None:
    # z2 = relu(x) + relu(y) - 1/2: two half-lines along the axes and a slanted piece between them
    net = Network([[[1.0, 0], [0, 1]], [[1.0, 1]], [[1.0], [-1]]], [[0.0, 0], [-0.5], [0.0, 0]])
    plane = planar_complex(net, BOX)
    assert len(plane) == 7
    check_mesh(plane, 4.0)
    drawn = plane.edges.neurons.tolist().count([1, 0])
    assert drawn == 3
    assert sorted(np.round(plane.areas, 12)) == [0.125, 0.5, 0.5, 0.5, 0.5, 0.875, 1.0]


def check_mesh(plane: PlanarComplex, area: float) -> None:
    """Areas, Euler's formula, no overlap: what makes a set of polygons a subdivision."""
    assert abs(plane.areas.sum() - area) < 1e-12 * area
    assert plane.areas.min() > -1e-14 * area
    assert abs(plane.cell_areas.sum() - area) < 1e-11 * area
    parts = np.bincount(plane.decision.regions, weights=plane.cell_areas, minlength=len(plane))
    assert np.abs(parts - plane.areas).max() < 1e-11 * area
    edges = plane.edges
    assert len(plane.vertices) - len(edges.ends) + len(plane) == 1
    rim = edges.regions[:, 1] < 0
    ends = plane.vertices[edges.ends[rim]]
    on_box = ((ends == plane.box[:, 0]) | (ends == plane.box[:, 1])).all(1).any(1)
    assert on_box.all(), "an edge with one region that is not on the box"
    assert (edges.neurons[~rim] >= 0).all(), "two neighbours with one pattern"
    length = np.abs(ends[:, 0] - ends[:, 1]).sum()
    assert abs(length - 2 * (plane.box[:, 1] - plane.box[:, 0]).sum()) < 1e-11


def check_patterns(plane: PlanarComplex, points: np.ndarray) -> None:
    """Each point's pattern is that of the polygon which holds it by geometry; doubtful signs are left out."""
    located = plane.locate(points)
    assert (located >= 0).all()
    hidden, doubtful = points, np.zeros(len(points), bool)
    for layer, (weight, bias) in enumerate(zip(plane.network.weights[:-1], plane.network.biases[:-1], strict=True)):
        values = hidden @ weight.T + bias
        size = np.abs(hidden) @ np.abs(weight.T) + np.abs(bias)
        near = np.abs(values) <= 1e-11 * np.maximum(size, 1e-3)
        same = plane.patterns.layer(layer)[located] == (values > 0)
        assert (same | near | doubtful[:, None]).all()
        doubtful |= (near & (size > 0)).any(1)
        hidden = np.maximum(values, 0)
    tree = shapely.STRtree(plane.polygons)
    sample = shapely.points(points[:2000])
    which, found = tree.query(sample, predicate="intersects")
    gap = shapely.distance(plane.polygons[located[:2000]], sample)
    assert gap.max() < 1e-9, "the region found by its pattern does not hold the point"
    assert set(which) == set(range(len(sample)))
    depth = shapely.distance(shapely.boundary(plane.polygons[found]), sample[which])
    strictly = np.bincount(which[depth > 1e-9], minlength=len(sample))
    assert strictly.max() <= 1, "two polygons overlap"


def check_boundary(plane: PlanarComplex, points: np.ndarray) -> None:
    """Segments are ties for the first place by the network itself; the cells hold the network's prediction."""
    net, segments, pairs = plane.network, plane.decision_segments, plane.decision_pairs
    rng = np.random.default_rng(len(segments))
    if len(segments):
        share = rng.uniform(0, 1, (len(segments), 1))
        on = segments[:, 0] * share + segments[:, 1] * (1 - share)
        logits = net(on)
        scale = np.abs(logits).max() + 1
        both = np.take_along_axis(logits, pairs, axis=1)
        assert np.abs(both[:, 0] - both[:, 1]).max() < 1e-9 * scale
        assert (both[:, 0] >= logits.max(1) - 1e-9 * scale).all()
        assert (pairs[:, 0] < pairs[:, 1]).all()
    check_cells(plane, points)


def check_cells(plane: PlanarComplex, points: np.ndarray) -> None:
    logits = plane.network(points)
    top = np.sort(logits, axis=1)
    clear = top[:, -1] - top[:, -2] > 1e-9 * (np.abs(logits).max() + 1)
    tree = shapely.STRtree(plane.cell_polygons)
    which, cell = tree.query(shapely.points(points[clear]), predicate="intersects")
    assert set(which) == set(range(int(clear.sum())))
    wrong = plane.decision.classes[cell] != logits[clear].argmax(1)[which]
    if wrong.any():
        depth = shapely.distance(
            shapely.boundary(plane.cell_polygons[cell[wrong]]), shapely.points(points[clear][which[wrong]])
        )
        assert depth.max() < 1e-9


def check_sides(plane: PlanarComplex, *, ordinary: bool) -> None:
    """A little to either side of a segment's middle one of its two classes wins; the other one on the other side.

    Where networks are degenerate two classes may touch along an edge, or tie over an area, without changing places.
    """
    segments, pairs = plane.decision_segments, plane.decision_pairs
    step = segments[:, 1] - segments[:, 0]
    length = np.hypot(step[:, 0], step[:, 1])
    long = length > 1e-4
    middle = segments[long].mean(1)
    normal = np.stack([-step[long, 1], step[long, 0]], axis=1) / length[long, None]
    wins = []
    for side in (1e-7, -1e-7):
        logits = plane.network(middle + side * normal)
        best = logits.max(1)
        both = np.take_along_axis(logits, pairs[long], axis=1)
        assert ((both.max(1) < best - 1e-12 * (1 + np.abs(best))).sum()) <= 1 + 0.02 * len(best)
        wins.append(both.argmax(1))
    if ordinary:
        assert (wins[0] == wins[1]).sum() <= 1 + 0.02 * len(middle)


def check_all(seed: int, count: int) -> None:
    net = random_net(seed)
    box = BOX if seed % 2 else ODD_BOX
    plane = planar_complex(net, box)
    area = (box[0][1] - box[0][0]) * (box[1][1] - box[1][0])
    points = np.random.default_rng(seed).uniform(*np.array(box).T, (count, 2))
    check_mesh(plane, area)
    check_patterns(plane, points)
    check_boundary(plane, points[:2000])
    check_sides(plane, ordinary=seed % 3 > 0)


@pytest.mark.parametrize("block", range(6))
def test_random_networks_give_valid_subdivisions(block: int) -> None:
    for seed in range(block * 10, block * 10 + 10):
        check_all(seed, 3000)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(30))
def test_300_random_networks_at_100_000_points_each(block: int) -> None:
    for seed in range(block * 10, block * 10 + 10):
        check_all(seed, 100_000)


@pytest.mark.parametrize("kind", KINDS)
def test_the_slow_oracle_finds_the_same_regions(kind: str) -> None:
    for seed in range(4):
        net = random_net(1000 + seed, kind=kind)
        if sum(net.widths) > 50:
            continue
        plane, cells = planar_complex(net, BOX), oracle.regions(net.weights, net.biases, BOX)
        assert len(plane) == len(cells)
        assert np.allclose(np.sort(plane.areas), np.sort([oracle.area(p) for p, *_ in cells]), atol=1e-9)
        middles = np.array([polygon.mean(0) for polygon, *_ in cells])
        big = np.array([oracle.area(p) > 1e-8 for p, *_ in cells])
        slopes, offsets = plane.maps
        for place, (_, slope, offset, pattern) in zip(
            plane.locate(middles)[big], np.array(cells, object)[big], strict=True
        ):
            assert np.allclose(slopes[place], slope, atol=1e-9)
            assert np.allclose(offsets[place], offset, atol=1e-9)
            assert all((a == b).all() for a, b in zip(plane.pattern(place), pattern, strict=True))


@pytest.mark.parametrize("name", [*list(STARTS)[:4], *STORED])
def test_the_counts_on_which_other_systems_agree(name: str) -> None:
    expected = STORED[name] if name in STORED else STARTS[name][2]
    plane = planar_complex(named_net(name), BOX)
    assert len(plane) == expected
    check_mesh(plane, 4.0)


def test_patterns_are_unique_and_read_as_a_sequence() -> None:
    plane = planar_complex(start_net((40, 30), 3), BOX)
    rows = np.concatenate([plane.patterns.layer(i) for i in range(2)], axis=1)
    assert len(np.unique(rows, axis=0)) == len(plane) == len(plane.patterns)
    for i in (0, len(plane) // 2, len(plane) - 1):
        assert (np.concatenate(plane.patterns[i]) == rows[i]).all()
    assert len(plane.patterns[2:5]) == 3


def test_wide_layers_need_more_than_one_word() -> None:
    net = start_net((70, 130), 5)
    plane = planar_complex(net, BOX)
    check_mesh(plane, 4.0)
    check_patterns(plane, np.random.default_rng(1).uniform(-1, 1, (3000, 2)))


def test_neighbours_differ_in_the_neuron_that_draws_their_edge() -> None:
    plane = planar_complex(start_net((12, 12), 7), BOX)
    inner = plane.edges.regions[:, 1] >= 0
    assert len(plane.adjacency) == inner.sum()
    for (a, b), neuron in zip(plane.adjacency[:200], plane.edges.neurons[inner][:200], strict=True):
        assert plane.neurons_between(a, b) == [tuple(neuron)]


def test_zooming_in_far_still_tiles_the_box() -> None:
    net = start_net((32, 32), 11)
    crossing = planar_complex(net, BOX).vertices[40]
    for half in (1e-3, 1e-6, 1e-9):
        box = tuple((c - half, c + 0.7 * half) for c in crossing)
        plane = planar_complex(net, box)
        sides = plane.box[:, 1] - plane.box[:, 0]
        assert len(plane) >= 2
        assert abs(plane.areas.sum() / sides.prod() - 1) < 1e-6
        assert len(plane.vertices) - len(plane.edges.ends) + len(plane) == 1


def test_a_class_that_wins_at_no_corner_gets_its_cell() -> None:
    # one region; class 2 = 0.1 everywhere, class 0 = 2x, class 1 = -2x: class 2 wins in the strip |x| < 0.05
    net = Network([[[1.0, 0], [-1.0, 0]], [[1.0, -1], [-1.0, 1], [0, 0]]], [[5.0, 5.0], [0.0, 0.0, 0.1]])
    plane = planar_complex(net, BOX)
    assert len(plane) == 1
    classes = plane.decision.classes.tolist()
    assert sorted(classes) == [0, 1, 2]
    assert abs(plane.cell_areas[classes.index(2)] - 0.2) < 1e-12
    assert sorted(plane.decision_pairs.tolist()) == [[0, 2], [1, 2]]


def test_a_boundary_along_an_edge_and_a_tie_over_an_area_are_seen() -> None:
    # f0 - f1 = relu(x): a tie on the whole left half, and class 0 on the right
    net = Network([[[1.0, 0]], [[1.0], [0.0]]], [[0.0], [0.0, 0.0]])
    plane = planar_complex(net, BOX)
    assert (plane.decision.classes == 0).all()
    assert (np.abs(plane.decision_segments[:, :, 0]).max(1) == 0).sum() == 1, "the edge x = 0 comes once"
    distance, nearest, proven = plane.boundary_distance([[0.25, 0.1], [-0.5, 0.5]])
    assert proven.all()
    assert distance.tolist() == [0.25, 0.0]
    assert np.allclose(nearest, [[0.0, 0.1], [-0.5, 0.5]])


def test_strips_have_two_straight_boundaries() -> None:
    plane = planar_complex(strips(), ((-2, 2), (-2, 2)))
    ends = plane.decision_segments
    assert sorted(ends[:, 0, 0].tolist()) == sorted(ends[:, 1, 0].tolist()) == [-1.0, 1.0]


def test_locate_gives_minus_one_outside_and_an_own_region_on_edges() -> None:
    plane = planar_complex(lines([[1, 0], [0, 1]], [0.0, 0.0]), BOX)
    place = plane.locate([[2.0, 0.0], [0.0, 0.0], [0.5, 0.5], [0.0, 0.5]])
    assert place[0] == -1
    assert (place[1:] >= 0).all()
    assert plane.polygons[place[2]].contains(shapely.Point(0.5, 0.5))
    assert plane.polygons[place[3]].distance(shapely.Point(0.0, 0.5)) == 0


def test_a_budget_ends_in_a_sentence() -> None:
    net = start_net((32, 32), 1)
    count = len(planar_complex(net, BOX))
    assert len(planar_complex(net, BOX, max_regions=count)) == count
    with pytest.raises(OverBudget, match=r"more than \d+ regions.*max_regions"):
        planar_complex(net, BOX, max_regions=count - 1)


def test_bad_input_is_refused_with_a_sentence() -> None:
    net = start_net((4,), 1)
    three = Network([np.ones((2, 3)), np.eye(2)], [np.zeros(2), np.zeros(2)])
    with pytest.raises(Unsupported, match="slice_network"):
        planar_complex(three, BOX)
    for box, words in ((((1, -1), (0, 1)), "x0 < x1"), ((0, 1), "Give the box"), (((0, np.nan), (0, 1)), "NaN")):
        with pytest.raises(InvalidInput, match=words):
            planar_complex(net, box)
    huge = Network([np.full((2, 2), 1e300), np.full((2, 2), 1e300)], [np.zeros(2), np.zeros(2)])
    with pytest.raises(InvalidInput, match="overflow"):
        planar_complex(huge, ((-1e10, 1e10), (-1e10, 1e10)))


def test_the_record_cannot_be_written_to() -> None:
    plane = planar_complex(start_net((4,), 1), BOX)
    with pytest.raises(ValueError, match="read-only"):
        plane.vertices[0, 0] = 1.0
    assert plane.status == f"complete: {len(plane)} regions in the box"


def test_neurons_that_are_never_positive_in_the_box_change_nothing() -> None:
    """Nine of ten neurons of each layer stay off in the box: the regions and classes are those without them."""
    rng, few, dead, before = np.random.default_rng(9), start_net((6, 5), 9), 54, 0
    weights, biases = [], []
    for layer, (weight, bias) in enumerate(zip(few.weights, few.biases, strict=True)):
        beside = np.hstack([weight, rng.normal(size=(len(weight), before))])
        extra = dead if layer < 2 else 0
        weights.append(np.vstack([beside, rng.normal(size=(extra, beside.shape[1]))]))
        biases.append(np.concatenate([bias, np.full(extra, -1e4)]))
        before = extra
    plane, expected = planar_complex(Network(weights, biases), BOX), planar_complex(few, BOX)
    check_mesh(plane, 4.0)
    assert len(plane) == len(expected)
    assert np.allclose(np.sort(plane.areas), np.sort(expected.areas), atol=1e-12)
    lengths = [np.linalg.norm(p.decision_segments[:, 0] - p.decision_segments[:, 1], axis=1) for p in (plane, expected)]
    assert np.sort(lengths[0]) == pytest.approx(np.sort(lengths[1]), abs=1e-9)
