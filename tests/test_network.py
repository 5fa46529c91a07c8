import numpy as np
import pytest
import torch

import relucert_core as rc
from relucert_core.network import as_labels
from tests.helpers import random_network


def small() -> rc.Network:
    return rc.Network([[[1.0, -1.0], [0.5, 2.0]], [[1.0, 0.0], [0.0, 1.0]]], [[0.0, -1.0], [0.5, 0.0]])


def test_evaluates_one_point_and_a_batch_as_written_by_hand():
    net = small()
    assert net([3.0, 1.0]).tolist() == [2.5, 2.5]
    assert net([[3.0, 1.0], [0.0, 0.0]]).tolist() == [[2.5, 2.5], [0.5, 0.0]]
    assert isinstance(net(np.zeros(2)), np.ndarray)
    assert isinstance(net(torch.zeros(2)), torch.Tensor)


def test_is_immutable_and_copies_what_it_is_given():
    weight = np.eye(2)
    net = rc.Network([weight, weight], [np.zeros(2), np.zeros(2)])
    weight[:] = 7
    assert net([1.0, 2.0]).tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        net.weights[0][0, 0] = 3.0


def test_digest_follows_content_and_not_the_name():
    first, second = small(), small()
    assert first == second
    assert first.digest == second.digest
    changed = rc.Network([w + (i == 0) * 1e-16 for i, w in enumerate(first.weights)], first.biases)
    assert changed.digest != first.digest
    transposed = rc.Network([np.ones((2, 1)), np.ones((2, 2))], [np.zeros(2)] * 2)
    assert transposed.digest != rc.Network([np.ones((2, 2)), np.ones((2, 2))], [np.zeros(2)] * 2).digest


@pytest.mark.parametrize(
    ("weights", "biases", "words"),
    [
        ([np.eye(2)], [np.zeros(2)], "at least 2 layers"),
        ([np.eye(2), np.ones((2, 3))], [np.zeros(2), np.zeros(2)], "Layer 2 takes 3 inputs, but layer 1 gives 2"),
        ([np.eye(2), np.ones((1, 2))], [np.zeros(2), np.zeros(1)], "at least 2 classes"),
        ([np.eye(2), np.eye(2)], [np.zeros(2), np.zeros(3)], "Layer 2: the bias must have shape"),
        (
            [np.eye(2), np.full((2, 2), np.nan)],
            [np.zeros(2), np.zeros(2)],
            "NaN or an infinity in the weights of layer 2",
        ),
        ([np.eye(2), np.eye(2)], [np.array([0, np.inf]), np.zeros(2)], "the bias of layer 1"),
        ([np.eye(2), np.zeros((2, 2, 2))], [np.zeros(2), np.zeros(2)], "Layer 2: the weights must be a matrix"),
        ([np.eye(2), [["a", "b"]]], [np.zeros(2), np.zeros(2)], "weights of layer 2"),
        ([np.eye(2), np.eye(2)], [np.zeros(2)], "give one each"),
    ],
)
def test_refuses_bad_networks_and_names_the_layer(weights, biases, words):
    with pytest.raises(rc.InvalidInput, match=words):
        rc.Network(weights, biases)


@pytest.mark.parametrize("x", [np.zeros(3), np.zeros((1, 2, 2)), [np.nan, 0.0], "ab", 1.0])
def test_refuses_bad_points(x):
    with pytest.raises(rc.InvalidInput):
        small()(x)


@pytest.mark.parametrize("labels", [2, -1, [0, 1, 1], 0.5, [[0]]])
def test_refuses_bad_labels(labels):
    with pytest.raises(rc.InvalidInput):
        as_labels(small(), labels, 2)


def test_composes_with_an_affine_map():
    rng = np.random.default_rng(0)
    net = random_network(rng, inputs=3)
    matrix, offset, t = rng.normal(size=(3, 2)), rng.normal(size=3), rng.normal(size=(5, 2))
    np.testing.assert_allclose(net.compose(matrix, offset)(t), net(t @ matrix.T + offset), rtol=1e-10, atol=1e-12)
    with pytest.raises(rc.InvalidInput, match="3 inputs"):
        net.compose(np.eye(2), offset)


def test_from_torch_reads_linear_and_relu_exactly():
    module = torch.nn.Sequential(
        torch.nn.Identity(),
        torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU()),
        torch.nn.Linear(4, 2, bias=False),
    )
    net = rc.Network.from_torch(module)
    assert net.stored_dtype == "float32"
    np.testing.assert_array_equal(net.weights[0], module[1][0].weight.detach().double().numpy())
    np.testing.assert_array_equal(net.biases[1], np.zeros(2))


def test_from_torch_reads_what_a_forward_does():
    class Doubled(torch.nn.Sequential):
        def forward(self, x):
            return -2 * super().forward(x)

    module = Doubled(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
    points = np.random.default_rng(0).normal(size=(5, 2))
    theirs = module.double()(torch.from_numpy(points)).detach().numpy()
    np.testing.assert_allclose(rc.Network.from_torch(module)(points), theirs, rtol=1e-12)


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_safetensors_keeps_every_bit_and_torch_reads_it(tmp_path, kind):
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2)).to(getattr(torch, kind))
    net = rc.Network.from_torch(module)
    path = tmp_path / "net.safetensors"
    rc.save_network(net, path)
    assert rc.load_network(path) == net
    from safetensors.torch import load_file

    module.load_state_dict(load_file(path))
    assert rc.Network.from_torch(module) == net


def test_layers_are_read_in_natural_order(tmp_path):
    from safetensors.numpy import save_file

    rng = np.random.default_rng(2)
    tensors = {}
    for key in ("2", "10", "0"):
        tensors[f"{key}.weight"], tensors[f"{key}.bias"] = rng.normal(size=(2, 2)), rng.normal(size=2)
    save_file(tensors, tmp_path / "n.safetensors")
    net = rc.load_network(tmp_path / "n.safetensors", activation="relu")
    np.testing.assert_array_equal(net.weights[2], tensors["10.weight"])


def bad_files() -> dict[str, bytes]:
    from safetensors.numpy import save

    good = save({"0.weight": np.eye(2), "0.bias": np.zeros(2), "2.weight": np.eye(2), "2.bias": np.zeros(2)})
    header = b'{"0.weight":{"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,4000000000000]}}'
    return {
        "empty": b"",
        "text": b"hello, this is no network",
        "cut off": good[:-9],
        "huge header": (2**40).to_bytes(8, "little") + good[8:],
        "no json": (4).to_bytes(8, "little") + b"{{{{",
        "list": (2).to_bytes(8, "little") + b"[]",
        "huge shape": len(header).to_bytes(8, "little") + header,
        "integers": save({"0.weight": np.eye(2, dtype=np.int64), "0.bias": np.zeros(2)}),
        "no bias": save({"0.weight": np.eye(2), "2.weight": np.eye(2)}),
        "stranger": save({"0.weight": np.eye(2), "0.bias": np.zeros(2), "extra": np.zeros(2)}),
        "nan": save({f"{i}.{k}": np.full(s, np.nan) for i in "02" for k, s in (("weight", (2, 2)), ("bias", 2))}),
        "one layer": save({"0.weight": np.eye(2), "0.bias": np.zeros(2)}),
    }


@pytest.mark.parametrize("name", list(bad_files()))
def test_bad_network_files_get_one_sentence(name):
    from relucert_core.importers.safetensors_file import load_network

    with pytest.raises(rc.RelucertError) as caught:
        load_network(bad_files()[name], activation="relu", max_parameters=100_000)
    assert 20 < len(str(caught.value)) < 300


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(rc.DataUnavailable, match="no network file"):
        rc.load_network(tmp_path / "none.safetensors")
