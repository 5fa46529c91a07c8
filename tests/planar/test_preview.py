"""What is sent to the browser: it must be the network and its plane, and nothing may be lost on the way."""

from __future__ import annotations

import base64
import itertools

import numpy as np
import pytest
import torch

import relucert_core as rc
from relucert_core.planar.preview import (
    MAX_CELLS,
    STEPS,
    bent_lines,
    encode,
    frames_data,
    network_data,
    preview_data,
    thinned,
)
from relucert_core.planar.slopes import local_slopes

BOX = ((-1.0, 1.0), (-1.0, 1.0))


def random_net(seed, shape=(2, 9, 7, 3)):
    rng = np.random.default_rng(seed)
    pairs = list(itertools.pairwise(shape))
    return rc.Network([rng.standard_normal((n, m)) for m, n in pairs], [0.3 * rng.standard_normal(n) for _, n in pairs])


def decoded(text, kind):
    return np.frombuffer(base64.b64decode(text), kind)


def test_weights_come_back_bit_for_bit():
    net = random_net(0)
    data = network_data(net)
    assert data["widths"] == [2, 9, 7, 3]
    numbers = decoded(data["weights"], "<f8")
    parts = [part.ravel() for pair in zip(net.weights, net.biases, strict=True) for part in pair]
    np.testing.assert_array_equal(numbers, np.concatenate(parts))


@pytest.mark.parametrize("seed", range(3))
def test_pieces_hold_the_boundary_everywhere(seed):
    net = random_net(seed)
    plane = rc.planar_complex(net, BOX)
    data = preview_data(plane)
    assert data["whole"]
    pieces = decoded(data["pieces"], "<f8").reshape(-1, 5)
    points = np.random.default_rng(seed).uniform(-3, 3, (50, 2))
    expected, _, proven = plane.boundary_distance(points)
    assert proven.all()
    delta = points[:, None] - pieces[None, :, :2]
    along = (delta * pieces[:, 2:4]).sum(-1) / np.maximum((pieces[:, 2:4] ** 2).sum(-1), 1e-300)
    along = np.clip(along, 0, np.where(pieces[:, 4] > 0, np.inf, 1.0))
    found = np.linalg.norm(delta - along[..., None] * pieces[:, 2:4], axis=-1).min(1)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_every_bent_line_is_where_its_neuron_is_zero_and_none_is_missing():
    net = random_net(4)
    plane = rc.planar_complex(net, BOX)
    ends, places = bent_lines(plane)
    middles = ends.mean(1)
    values = net.pre_activations(torch.from_numpy(middles))
    for layer in range(2):
        mine = places[:, 0] == layer
        at = values[layer].numpy()[mine, places[mine, 1]]
        assert np.abs(at).max() < 1e-9
    # a neuron that takes both signs at sampled points of the box has a bent line
    samples = net.pre_activations(torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (4000, 2))))
    known = {tuple(p) for p in places.tolist()}
    for layer in range(2):
        both = (samples[layer] > 0).any(0) & (samples[layer] < 0).any(0)
        assert {(layer, int(j)) for j in torch.nonzero(both).flatten()} <= known


def test_copied_neurons_share_their_line():
    weight, bias = np.array([[1.0, 0.5], [1.0, 0.5]]), np.array([0.1, 0.1])
    net = rc.Network([weight, np.eye(2)], [bias, np.zeros(2)])
    _, places = bent_lines(rc.planar_complex(net, BOX))
    assert {tuple(p) for p in places.tolist()} == {(0, 0), (0, 1)}


def test_frames_keep_every_cell_within_half_a_step():
    planes = [rc.planar_complex(random_net(seed), BOX) for seed in (1, 2)]
    data = frames_data(planes, [0, 10])
    sizes, corners = decoded(data["sizes"], "<u2"), decoded(data["corners"], "<u2").reshape(-1, 2)
    assert data["cells"] == [0, len(planes[0].decision.sizes), sum(len(p.decision.sizes) for p in planes)]
    assert sizes.sum() == len(corners)
    exact = np.concatenate([p.decision.vertices[p.decision.corners] for p in planes])
    assert np.abs(corners / STEPS * 2 - 1 - exact).max() <= 1.0 / STEPS + 1e-12
    assert data["segments"][-1] == sum(len(p.decision_segments) for p in planes)
    assert len(data["weights"]) == 2


@pytest.mark.parametrize("counts", [[10] * 40, [MAX_CELLS // 3] * 40, [MAX_CELLS] * 5, [5, 7]])
def test_thinning_keeps_the_ends_and_the_budget(counts):
    kept = thinned(counts)
    assert kept[0] == 0
    assert kept[-1] == len(counts) - 1
    assert len(kept) == 2 or sum(counts[i] for i in kept) <= MAX_CELLS
    if sum(counts) <= MAX_CELLS:
        assert kept == list(range(len(counts)))


def test_slopes_are_those_of_the_lead_by_finite_differences():
    net = random_net(5)
    plane = rc.planar_complex(net, BOX)
    slopes = local_slopes(plane)
    for index in np.argsort(-plane.areas)[:20]:
        middle = plane.polygon(index).mean(0)
        top = np.argsort(net(middle))[-2:]
        lead = lambda p, top=top: net(p)[top[1]] - net(p)[top[0]]  # noqa: E731
        h = 1e-7
        gradient = [(lead(middle + h * e) - lead(middle - h * e)) / (2 * h) for e in np.eye(2)]
        assert np.hypot(*gradient) == pytest.approx(slopes[index], rel=1e-5)


def test_encode_is_little_endian():
    assert base64.b64decode(encode(np.array([1, 256], ">u2"))) == b"\x01\x00\x00\x01"
