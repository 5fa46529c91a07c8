import numpy as np
import pytest
import torch

import relucert_core as rc
from relucert_core.distances import all_distances
from relucert_core.forward import proven_forward, quick_forward
from relucert_core.norms import dual, nearest_on_hyperplane
from relucert_core.region import backward_rows, forward_rows
from tests.helpers import KINDS, NORMS, random_network, random_points
from tests.oracles import exact_forward, exact_rows, simplex_value


@pytest.fixture(params=range(12))
def case(request):
    rng = np.random.default_rng(request.param)
    net = random_network(rng, inputs=3)
    return rng, net, random_points(rng, net, 1)[0]


def test_the_point_lies_in_its_region_with_one_inequality_a_neuron(case):
    _, net, point = case
    region = rc.activation_region(net, point)
    assert region.P.shape == (sum(net.widths), net.inputs)  # Corollary 1
    assert (region.P @ point + region.q >= -1e-12).all()
    assert [len(p) for p in region.pattern] == list(net.widths)
    assert region.C.shape == (net.classes, net.inputs)


def test_the_affine_map_equals_the_network_inside(case):
    rng, net, point = case
    region = rc.activation_region(net, point)
    inside = 0
    for step in rng.normal(size=(200, 3)) * 10.0 ** rng.uniform(-3, 0.5, (200, 1)):
        x = point + step
        if (region.P @ x + region.q > 1e-9).all():
            inside += 1
            np.testing.assert_allclose(region.C @ x + region.d, net(x), rtol=1e-9, atol=1e-9)
    assert inside > 20


def test_the_affine_map_differs_across_a_face_whose_jump_is_not_zero(case):
    _, net, point = case
    region = rc.activation_region(net, point)
    crossed = 0
    for row in range(len(region.P)):
        value = float(region.P[row] @ point + region.q[row])
        if not region.P[row].any():
            continue
        foot = nearest_on_hyperplane(point, region.P[row], value, 2.0)
        beyond = foot - 1e-6 * region.P[row] / np.linalg.norm(region.P[row])
        other = rc.activation_region(net, beyond)
        flipped = [not np.array_equal(a, b) for a, b in zip(region.pattern, other.pattern)]
        differing = np.flatnonzero(np.concatenate(region.pattern) != np.concatenate(other.pattern))
        if list(differing) != [row]:
            continue  # the foot of the perpendicular lies beyond another face
        assert any(flipped)
        layer, neuron = region.place(row)
        jump = np.abs(other.C - region.C).max()
        reaches = _reaches_logits(net, region, layer, neuron)
        assert (jump > 1e-9) == reaches
        crossed += reaches
    assert crossed or net.depth > 2


def _reaches_logits(net, region, layer, neuron):
    column = net.weights[layer][:, neuron]
    for i in range(layer, net.depth - 1):
        column = net.weights[i + 1] @ (region.pattern[i] * column)
    return bool(np.abs(column).max() > 1e-9)


def test_rows_equal_autograd_and_the_exact_rows(case):
    _, net, point = case
    region = rc.activation_region(net, point)
    x = torch.tensor(point, requires_grad=True)
    signs = np.concatenate([2.0 * p - 1 for p in region.pattern])
    gradients = [
        torch.autograd.grad(net.pre_activations(x[None])[i][0, j], x)[0].numpy()
        for i, width in enumerate(net.widths)
        for j in range(width)
    ]
    np.testing.assert_allclose(region.P, signs[:, None] * np.array(gradients), rtol=1e-10, atol=1e-12)
    rows = exact_rows(net, exact_forward(net, point))
    np.testing.assert_allclose(
        region.C, np.array([[float(v) for v in row] for row in rows[-1]]), rtol=1e-10, atol=1e-12
    )


def test_rows_forward_and_backward_agree():
    rng = np.random.default_rng(5)
    net = random_network(rng, inputs=4)
    points = torch.from_numpy(random_points(rng, net, 6))
    masks = [(z >= 0).double() for z in net.pre_activations(points)[:-1]]
    *_, last = forward_rows(net.affine, masks)
    start = net.affine[-1].weight.expand(6, -1, -1)
    torch.testing.assert_close(last, backward_rows(net.affine, masks, start))


@pytest.mark.parametrize("norm", NORMS)
def test_distances_equal_the_exact_formula(norm):
    rng = np.random.default_rng(7)
    for _ in range(10):
        net = random_network(rng)
        points = random_points(rng, net, 4)
        result = rc.simplex_distances(net, torch.from_numpy(points), norm)
        ours = torch.minimum(result.faces, result.decisions)
        for point, value in zip(points, ours.tolist()):
            assert value == pytest.approx(simplex_value(net, point, int(net(point).argmax()), norm), rel=1e-9)


@pytest.mark.parametrize("norm", NORMS)
def test_gradients_match_finite_differences(norm):
    generator = torch.Generator().manual_seed(3)
    module = torch.nn.Sequential(
        torch.nn.Linear(3, 5), torch.nn.ReLU(), torch.nn.Linear(5, 4), torch.nn.ReLU(), torch.nn.Linear(4, 3)
    ).double()
    for parameter in module.parameters():
        parameter.data.normal_(generator=generator)
    points = torch.randn(6, 3, dtype=torch.float64, generator=generator)
    usable = torch.isfinite(torch.stack(tuple(rc.simplex_distances(module, points, norm)))).all(0)
    points = points[usable].requires_grad_()
    assert len(points) >= 3
    parameters = list(module.parameters())

    def distances(x, *_):
        return tuple(rc.simplex_distances(module, x, norm))

    assert torch.autograd.gradcheck(distances, (points, *parameters), eps=1e-7, atol=1e-5)


def test_the_label_is_no_rival_of_itself():
    net = random_network(np.random.default_rng(1))
    _, decisions = all_distances(net, torch.zeros(1, net.inputs, dtype=torch.float64), labels=torch.tensor([1]))
    assert torch.isinf(decisions[0, 1])


@pytest.mark.parametrize("forward", [proven_forward, quick_forward])
@pytest.mark.parametrize("kind", KINDS)
def test_error_bounds_hold_in_exact_arithmetic(forward, kind):
    rng = np.random.default_rng(11)
    for _ in range(8):
        net = random_network(rng, kind)
        points = random_points(rng, net, 3, kind)
        values, errors = forward(net, torch.from_numpy(points))
        for i, point in enumerate(points):
            for exact_z, z, e in zip(exact_forward(net, point), values, errors):
                for true, computed, bound in zip(exact_z, z[i].tolist(), e[i].tolist()):
                    assert not np.isfinite(bound) or abs(float(true - exact_fraction(computed))) <= bound


def exact_fraction(value):
    from fractions import Fraction

    return Fraction(value)


@pytest.mark.parametrize("norm", NORMS)
def test_nearest_point_on_a_hyperplane_is_on_it_and_at_its_distance(norm):
    random = np.random.default_rng(0)
    for size in (1.0, 1e-200, 1e200):
        row, point = size * random.normal(size=4), random.normal(size=4)
        value = float(row @ point) + 0.7 * size
        near = nearest_on_hyperplane(point, row, value, norm)
        assert row @ near + 0.7 * size == pytest.approx(0.0, abs=1e-12 * size)
        way = np.linalg.norm(near - point, norm)
        assert way == pytest.approx(abs(value / size) / np.linalg.norm(row / size, dual(norm)))
    assert np.array_equal(nearest_on_hyperplane(point, np.zeros(4), 1.0, norm), point)


def test_a_batch_or_a_bad_point_is_refused():
    net = random_network(np.random.default_rng(0), inputs=2)
    with pytest.raises(rc.InvalidInput, match="one point"):
        rc.activation_region(net, np.zeros((2, 2)))
    with pytest.raises(rc.InvalidInput):
        rc.activation_region(net, np.zeros(3))
