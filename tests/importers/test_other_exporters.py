"""Files that other frameworks' exporters wrote, against what the framework itself gave; see PROVENANCE.md there."""

from pathlib import Path

import numpy as np
import pytest

import relucert_core as rc

FILES = Path(__file__).parents[1] / "data" / "onnx"
GIVEN = {  # by Keras itself, in float32, at default_rng(0).random(shape)
    "keras-conv": ((8, 8, 1), [0.24898759, 0.19161218, 0.5594002]),
    "keras-residual": ((5,), [-0.87204105, -0.00321947]),
}


@pytest.mark.parametrize("name", GIVEN)
def test_a_file_of_keras_gives_what_keras_gave(name):
    shape, given = GIVEN[name]
    net = rc.read_network(FILES / f"{name}.onnx")
    assert net.card.input_shape == shape
    scores = net(np.random.default_rng(0).random(shape).astype(np.float32).astype(float).ravel())
    if name == "keras-conv":  # its last step, a softmax, is left out
        scores = np.exp(scores) / np.exp(scores).sum()
    np.testing.assert_allclose(scores, given, atol=1e-6)
    assert net.card.difference < 1e-9
    assert rc.certify(net, np.full(net.inputs, 0.3), method="crown-ada").radius > 0
