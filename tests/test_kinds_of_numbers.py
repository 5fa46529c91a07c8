"""NumPy scalars, torch's defaults, empty batches, bytes for pixels, foreign arrays: a number or a sentence."""

import warnings

import numpy as np
import pytest
import torch

import relucert_core as rc
from relucert_core.errors import InvalidInput

RNG = np.random.default_rng(0)
NET = rc.Network(
    [RNG.normal(size=(4, 4)), RNG.normal(size=(4, 4)), RNG.normal(size=(3, 4))],
    [RNG.normal(size=4), RNG.normal(size=4), RNG.normal(size=3)],
)
SHALLOW = rc.Network([RNG.normal(size=(6, 4)), RNG.normal(size=(3, 6))], [RNG.normal(size=6), RNG.normal(size=3)])
POINTS = RNG.normal(size=(2, 4))
QUICK = {"max_regions": 5, "max_iterations": 3, "max_seconds": None, "batches": 2, "samples": 2}
DDN = rc.attack(NET, POINTS[0], "ddn", steps=20).distance


def net_for(name):
    return SHALLOW if rc.CERTIFICATES[name].max_depth == 2 else NET


def options_for(entry):
    return {key: value for key, value in QUICK.items() if key in entry.options}


def certified(name, norm):
    entry = rc.CERTIFICATES[name]
    batch = rc.certify(net_for(name), POINTS[:1], name, norm, **options_for(entry))
    return batch.radius.tolist(), batch.prediction.tolist()


def attacked(name, norm):
    found = rc.attack(NET, POINTS[:1], name, norm)
    return found.distance.tolist(), found.point.tolist()


def searched(method):
    return [s.lower for s in rc.search(NET, POINTS[0], method=method, max_regions=10)][-1]


def everything():
    answers = {}
    for name, entry in rc.CERTIFICATES.items():
        answers[name] = certified(name, entry.norms[-1])
    for name, entry in rc.ATTACKS.items():
        answers[name] = attacked(name, entry.norms[-1])
    for norm in (1, 2, np.inf):
        answers["region", norm] = rc.region_distance(NET, POINTS[0], norm).distance
    answers["exact"], answers["neighbours"] = searched("exact"), searched("neighbours")
    answers["logits"] = NET(POINTS).tolist()
    return answers


def test_nothing_depends_on_torchs_defaults():
    plain = everything()
    try:
        torch.set_default_device("meta")
        torch.set_default_dtype(torch.float16)
        assert everything() == plain
        assert torch.zeros(1).device.type == "meta"  # the caller's setting holds afterwards
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)


def test_the_callers_default_device_holds_between_the_steps_of_a_search():
    try:
        torch.set_default_device("meta")
        steps = rc.search(NET, POINTS[0], max_regions=30)
        next(steps)
        assert torch.zeros(1).device.type == "meta"
        steps.close()
    finally:
        torch.set_default_device(None)


@pytest.mark.parametrize("kind", [np.int64, np.float32, torch.tensor, np.uint8])
def test_numpy_and_torch_scalars_are_numbers(kind):
    two = kind(2)
    steps = int if kind is np.float32 else kind
    assert rc.certify(NET, POINTS[0], norm=two).radius == rc.certify(NET, POINTS[0], norm=2).radius
    assert rc.certify(NET, POINTS[0], "exact", max_seconds=two, max_regions=two).radius > 0
    assert rc.attack(NET, POINTS[0], "ddn", two, steps=steps(20)).distance == DDN
    assert list(rc.search(NET, POINTS[0], norm=two, max_seconds=two, max_regions=two, max_queue=two))
    assert rc.certify(NET, POINTS[0], label=steps(1)).label == 1
    estimate = rc.certify(NET, POINTS[0], "clever", batches=steps(2), samples=steps(2), seed=steps(2))
    assert estimate.radius == rc.certify(NET, POINTS[0], "clever", batches=2, samples=2, seed=2).radius


@pytest.mark.parametrize("norm", [True, np.bool_(True), 3, np.float32(3), np.array([2]), None, "two", [2]])
def test_other_norms_are_refused(norm):
    with pytest.raises(ValueError, match="use 1, 2 or inf"):
        rc.certify(NET, POINTS[0], norm=norm)


@pytest.mark.parametrize("labels", [None, [], 1])
def test_a_batch_of_none_gives_a_batch_of_none(labels):
    empty = np.zeros((0, 4))
    assert NET(empty).shape == (0, 3)
    for name, entry in rc.CERTIFICATES.items():
        batch = rc.certify(net_for(name), empty, name, entry.norms[0], label=labels)
        assert len(batch) == 0
        assert batch.radius.shape == (0,)
    for name in rc.ATTACKS:
        assert len(rc.attack(NET, empty, name, label=labels)) == 0


def quantised():
    with warnings.catch_warnings(action="ignore"):  # torch warns of their end
        return torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8)


BAD_POINTS = {
    "ragged": [[1.0, 2.0, 3.0, 4.0], [1.0]],
    "complex": np.ones(4) * 1j,
    "complex torch": torch.ones(4, dtype=torch.complex128),
    "meta": torch.ones(4, device="meta"),
    "quantised": quantised(),
    "objects": np.array([1, "a", None, 2], dtype=object),
    "text": "abcd",
    "None": None,
    "masked": np.ma.masked_array(np.ones(4), [1, 0, 0, 0]),
    "too large for float64": [10**400, 1, 1, 1],
    "NaN": [np.nan, 1, 1, 1],
    "dates": np.zeros(4, "datetime64[s]"),
    "sparse": torch.eye(4).to_sparse(),
    "a class": type,
    "nothing": [],
}


@pytest.mark.parametrize("name", BAD_POINTS)
def test_bad_points_get_one_sentence(name):
    asked = [
        lambda: rc.certify(NET, BAD_POINTS[name]),
        lambda: rc.attack(NET, BAD_POINTS[name]),
        lambda: rc.search(NET, BAD_POINTS[name]),
        lambda: rc.region_distance(NET, BAD_POINTS[name]),
        lambda: rc.activation_region(NET, BAD_POINTS[name]),
        lambda: NET(BAD_POINTS[name]),
        lambda: rc.Network([BAD_POINTS[name], NET.weights[1]], NET.biases[:2]),
    ]
    for ask in asked:
        with pytest.raises(InvalidInput) as caught:
            ask()
        assert 20 < len(str(caught.value)) < 300
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "labels",
    [[[1], [1, 2]], torch.tensor([1.0], dtype=torch.bfloat16), np.float16([1]), 1.5, "one", [1, 2, 3], 1j, True],
)
def test_bad_labels_get_one_sentence(labels):
    with pytest.raises(InvalidInput, match="label"):
        rc.certify(NET, POINTS, label=labels)


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2, torch.float16, torch.bfloat16])
def test_short_floats_are_their_real_numbers(dtype):
    points = torch.tensor([[0.5, -1.5, 0.25, 2.0]]).to(dtype)
    assert rc.certify(NET, points).radius == rc.certify(NET, [[0.5, -1.5, 0.25, 2.0]]).radius


def test_bytes_are_no_pixels_of_a_network_trained_on_zero_to_one():
    """Certified as they are, 0..255 gave a radius of 1.539 where 0.00227 is right."""
    net, image = rc.load_model("mnist-20-20-20"), rc.mnist_sample()[0][0]
    pixels = np.rint(255 * image).astype(np.uint8)
    for points in (pixels, pixels[None], torch.from_numpy(pixels)):
        for ask in (net, lambda p: rc.certify(net, p), lambda p: rc.attack(net, p), lambda p: rc.search(net, p)):
            with pytest.raises(InvalidInput, match="divide them by 255"):
                ask(points)
    assert rc.certify(net, pixels / 255).radius == pytest.approx(0.00227, abs=1e-5)
    free = rc.Network(net.weights, net.biases)  # nothing is known of its inputs: the numbers are taken as they are
    assert rc.certify(free, pixels).radius == pytest.approx(1.539, abs=1e-3)


def test_lists_and_other_integers_stay_numbers():
    net = rc.Network([np.eye(2), np.eye(2)], [[0.0, 0.0], [0.0, 0.0]]).with_input_range(0, 1)
    assert rc.certify(net, [1, 2], "exact").radius == pytest.approx(np.sqrt(0.5), rel=1e-5)
    assert rc.certify(net, np.array([1, 2])).prediction == 1


def test_the_range_of_inputs_changes_no_network():
    net = rc.load_model("mnist-20-20-20")
    assert net.input_range == (0.0, 1.0)
    assert net == rc.Network(net.weights, net.biases)
    assert rc.slice_network(net, np.zeros(784), np.eye(784)[0], np.eye(784)[1]).input_range is None
