"""ONNX files of both of PyTorch's exporters, and hand-made ones, against the modules and against onnx.reference."""

import io
import math
import warnings

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

import relucert_core as rc
from relucert_core.importers.limits import Limits
from tests.importers.modules import modules
from tests.importers.test_modules import outputs, same_up_to_a_shift

MODULES = modules()
# Not exported by PyTorch's older exporter, or only in another number type.
LEFT_OUT = {"half", "double", "calls float", "einsum", "in place", "soft shrink", "same padding", "adaptive pools"}
LEFT_OUT |= {"tile, index"}  # exported with an If
OLDER = [name for name in MODULES if name not in LEFT_OUT]
NEWER = ["conv, batch norm", "residual", "max pool, odd", "moves", "clamp", "softmax last", "stack, split", "branches"]


def exported(module, shape, *, newer=False, **options):
    data = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module.float().eval(), (torch.zeros(1, *shape),), data, dynamo=newer, **options)
    return data.getvalue()


def agrees(net, module, shape, name):
    points = np.random.default_rng(2).normal(size=(6, math.prod(shape)))
    ours, theirs = net(points), outputs(module, shape, points)
    if name == "sigmoid last":
        np.testing.assert_allclose(ours[:, 1], np.log(theirs / (1 - theirs))[:, 0], atol=1e-6)
    elif theirs.shape[1] == 1:
        np.testing.assert_allclose(ours[:, 1:], theirs, rtol=1e-5)
    elif "softmax" in name:
        assert same_up_to_a_shift(ours, theirs) < 1e-6
    else:  # attributes such as slopes are float32 in the file
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6 * (1 + np.abs(theirs).max()))


@pytest.mark.parametrize("name", OLDER)
def test_files_of_the_older_exporter(name):
    module, shape = MODULES[name]
    net = rc.read_network(exported(module, shape), name="n.onnx")
    assert net.card.difference <= 1e-9
    agrees(net, module, shape, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", NEWER)
def test_files_of_the_newer_exporter(name):
    module, shape = MODULES[name]
    net = rc.read_network(exported(module, shape, newer=True, external_data=False), name="n.onnx")
    agrees(net, module, shape, name)


def model(nodes, constants, *, shape=("b", 4), outputs=3, opset=17, functions=(), **options):
    """A hand-made file: input x, output y."""
    value = helper.make_tensor_value_info
    tensors = [numpy_helper.from_array(np.asarray(array, dtype=kind), name) for name, array, kind in constants]
    graph = helper.make_graph(
        nodes, "g", [value("x", TensorProto.FLOAT, shape)], [value("y", TensorProto.FLOAT, None)], tensors, **options
    )
    imports = [helper.make_opsetid("", opset), *([helper.make_opsetid("own", 1)] if functions else [])]
    return helper.make_model(graph, opset_imports=imports, functions=list(functions))


def weights(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def n(kind, inputs, output, **attributes):
    return helper.make_node(kind, inputs, [output], name=f"{kind}-{output}", **attributes)


TAIL = [n("Relu", ["h"], "r"), n("MatMul", ["r", "w2"], "y")]
W = [("w", weights(4, 5), np.float32), ("w2", weights(5, 3), np.float32)]
HAND_MADE = {
    "gemm with factors": model(
        [n("Gemm", ["x", "w", "b"], "h", alpha=0.5, beta=2.0, transB=1), *TAIL],
        [("w", weights(5, 4), np.float32), ("b", weights(5), np.float32), W[1]],
    ),
    "clip by attributes": model(
        [n("MatMul", ["x", "w"], "h"), n("Clip", ["h"], "r", min=-0.5, max=0.5), TAIL[1]], W, opset=7
    ),
    "clip by inputs": model(
        [n("MatMul", ["x", "w"], "h"), n("Clip", ["h", "lo", "hi"], "r"), TAIL[1]],
        [*W, ("lo", -0.25, np.float32), ("hi", 0.75, np.float32)],
    ),
    "shape chain": model(
        [
            n("Shape", ["x"], "s"),
            n("Gather", ["s", "zero"], "first", axis=0),
            n("Unsqueeze", ["first", "axes"], "f"),
            n("Concat", ["f", "rest"], "to", axis=0),
            n("Reshape", ["x", "to"], "flat"),
            n("MatMul", ["flat", "w"], "h"),
            *TAIL,
        ],
        [*W, ("zero", 0, np.int64), ("axes", [0], np.int64), ("rest", [-1], np.int64)],
        shape=("b", 2, 2),
    ),
    "constant of shape": model(
        [
            n("ConstantOfShape", ["five"], "c", value=numpy_helper.from_array(np.array([0.5], np.float32))),
            n("MatMul", ["x", "w"], "z"),
            n("Add", ["z", "c"], "h"),
            *TAIL,
        ],
        [*W, ("five", [5], np.int64)],
    ),
    "same padding": model(
        [
            n("Conv", ["x", "k"], "c", auto_pad="SAME_LOWER", strides=[2, 2]),
            n("Flatten", ["c"], "h"),
            n("Relu", ["h"], "r"),
            n("MatMul", ["r", "w"], "y"),
        ],
        [("k", weights(2, 1, 2, 2), np.float32), ("w", weights(18, 3), np.float32)],
        shape=(1, 1, 5, 5),
    ),
    "global pools": model(
        [
            n("Conv", ["x", "k"], "c"),
            n("GlobalMaxPool", ["c"], "m"),
            n("GlobalAveragePool", ["c"], "a"),
            n("Max", ["m", "a"], "t"),
            n("Squeeze", ["t", "axes"], "y"),
        ],
        [("k", weights(3, 1, 2, 2), np.float32), ("axes", [2, 3], np.int64)],
        shape=(1, 1, 4, 4),
    ),
    "hard sigmoid": model([n("MatMul", ["x", "w"], "h"), n("HardSigmoid", ["h"], "r"), TAIL[1]], W),
    "no batch": model([n("MatMul", ["x", "w"], "h"), *TAIL], W, shape=(4,)),
    "softmax of opset 11": model(
        [n("MatMul", ["x", "w"], "h"), TAIL[0], n("MatMul", ["r", "w2"], "s"), n("Softmax", ["s"], "y")], W, opset=11
    ),
    "a function of its own": model(
        [helper.make_node("Twice", ["x"], ["t"], domain="own"), n("MatMul", ["t", "w"], "h"), *TAIL],
        W,
        functions=[
            helper.make_function(
                "own", "Twice", ["a"], ["b"], [n("Add", ["a", "a"], "b")], [helper.make_opsetid("", 17)]
            )
        ],
    ),
}


@pytest.mark.parametrize("name", HAND_MADE)
def test_hand_made_files_are_replayed(name):
    net = rc.read_network(HAND_MADE[name].SerializeToString(), name="n.onnx")
    assert net.classes == 3
    assert net.card.difference <= 1e-9


def test_an_initialiser_that_is_also_an_input_is_a_constant():
    made = model([n("MatMul", ["x", "w"], "h"), *TAIL], W)
    made.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, (4, 5)))
    assert rc.read_network(made.SerializeToString()).inputs == 4


REFUSED = {
    "tanh": ([n("MatMul", ["x", "w"], "h"), n("Tanh", ["h"], "r"), TAIL[1]], W, r"Node 'Tanh-r' \(Tanh\)"),
    "argmax": ([n("MatMul", ["x", "w"], "h"), TAIL[0], n("ArgMax", ["r"], "y")], W, "ArgMax"),
    "where": (
        [n("MatMul", ["x", "w"], "h"), n("Greater", ["h", "o"], "g"), n("Where", ["g", "h", "o"], "r"), TAIL[1]],
        [*W, ("o", 0.0, np.float32)],
        "Greater",
    ),
    "layer norm": (
        [n("MatMul", ["x", "w"], "h"), n("LayerNormalization", ["h", "s"], "r"), TAIL[1]],
        [*W, ("s", np.ones(5), np.float32)],
        "LayerNormalization",
    ),
    "other domain": (
        [
            n("MatMul", ["x", "w"], "h"),
            helper.make_node("Gelu", ["h"], ["r"], domain="com.microsoft", name="g"),
            TAIL[1],
        ],
        W,
        "com.microsoft",
    ),
    "expands without end": (
        [n("Expand", ["x", "to"], "h"), n("Relu", ["h"], "y")],
        [("to", [100_000, 100_000, 4], np.int64)],
        "stored numbers",
    ),
    "fills without end": (
        [
            n("ConstantOfShape", ["to"], "c"),
            n("ReduceSum", ["c"], "d"),
            n("Add", ["x", "d"], "h"),
            n("Relu", ["h"], "y"),
        ],
        [("to", [1_000_000, 1_000_000], np.int64)],
        "stored numbers",
    ),
    "tiles without end": (
        [n("Tile", ["x", "to"], "h"), n("Relu", ["h"], "y")],
        [("to", [1, 1_000_000_000], np.int64)],
        "stored numbers",
    ),
    "pads without end": (
        [n("Pad", ["x", "to"], "h"), n("Relu", ["h"], "y")],
        [("to", [0, 0, 0, 2_000_000_000], np.int64)],
        "stored numbers",
    ),
    "made nowhere": ([n("Relu", ["ghost"], "y")], [], "'ghost'"),
    "old opset": ([n("Relu", ["x"], "y")], [], "opset 6"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_names_the_node_and_what_to_do(name):
    nodes, constants, words = REFUSED[name]
    made = model(nodes, constants, opset=6 if name == "old opset" else 17)
    with pytest.raises(rc.RelucertError, match=words) as caught:
        rc.read_network(made.SerializeToString(), name="n.onnx")
    assert 20 < len(str(caught.value)) < 400


def test_external_data_is_read_from_one_plain_file_beside(tmp_path):
    made = model([n("MatMul", ["x", "w"], "h"), *TAIL], W)
    path = tmp_path / "net.onnx"
    onnx.save(made, path, save_as_external_data=True, location="net.onnx.data", size_threshold=0)
    with_data = rc.read_network(path)
    files = {"net.onnx.data": (tmp_path / "net.onnx.data").read_bytes()}
    assert rc.read_network(path.read_bytes(), files=files) == with_data
    with pytest.raises(rc.InvalidInput, match=r"net\.onnx\.data"):
        rc.read_network(path.read_bytes())
    for location in ("../net.onnx.data", "/etc/passwd", "other.bin"):
        evil = onnx.load(path, load_external_data=False)
        for tensor in evil.graph.initializer:
            for entry in tensor.external_data:
                entry.value = location if entry.key == "location" else entry.value
        with pytest.raises(rc.RelucertError, match="external_data=False"):
            rc.read_network(evil.SerializeToString(), files={location: b"x" * 100})
    with pytest.raises(rc.InvalidInput, match="lies outside"):
        rc.read_network(path.read_bytes(), files={"net.onnx.data": b"short"})


def test_limits_are_kept():
    made = model([n("MatMul", ["x", "w"], "h"), *TAIL], W).SerializeToString()
    with pytest.raises(rc.InvalidInput, match="at most 0 MB"):
        rc.read_network(made, limits=Limits(file_bytes=100))
    with pytest.raises(rc.Unsupported, match="stored numbers"):
        rc.read_network(made, limits=Limits(entries=10))


@pytest.mark.parametrize("groups", [2, 3])
@pytest.mark.parametrize("out", [1, 2])
def test_transposed_convolutions_in_groups_are_torchs(groups, out):
    """onnx.reference itself errs for several groups: the replay has its own way, and torch is the judge here."""
    torch.manual_seed(groups)
    layer = torch.nn.ConvTranspose2d(2 * groups, out * groups, 3, 2, 1, output_padding=1, groups=groups)
    module = torch.nn.Sequential(layer, torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(36 * out * groups, 2))
    shape = (2 * groups, 3, 3)
    net = rc.read_network(exported(module, shape), name="n.onnx")
    agrees(net, module, shape, "transposed conv")
    assert net == rc.read_network(module, input_shape=shape)
