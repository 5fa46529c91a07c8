"""Files that other frameworks' exporters wrote, against what each framework itself gave; see PROVENANCE.md there."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

import relucert_core as rc

FILES = Path(__file__).parents[1] / "data" / "onnx"
GIVEN = {  # by the framework itself, in float32, at default_rng(0).random(shape)
    "keras-conv": ((8, 8, 1), [0.24898759, 0.19161218, 0.5594002]),
    "keras-residual": ((5,), [-0.87204105, -0.00321947]),
    "tensorflow-conv": ((8, 8, 1), [0.0843116, 0.8152907, 0.1003978]),
    "tensorflow-branches": ((5,), [2.7333117, -1.4502348, -0.8682352]),
}


@pytest.mark.parametrize("name", GIVEN)
def test_a_file_gives_what_its_framework_gave(name):
    shape, given = GIVEN[name]
    net = rc.read_network(FILES / f"{name}.onnx")
    assert net.card.input_shape == shape
    scores = net(np.random.default_rng(0).random(shape).astype(np.float32).astype(float).ravel())
    if name.endswith("-conv"):  # its last step, a softmax, is left out
        scores = np.exp(scores) / np.exp(scores).sum()
    np.testing.assert_allclose(scores, given, atol=1e-6)
    assert net.card.difference < 1e-9
    assert rc.certify(net, np.full(net.inputs, 0.3), method="crown-ada").radius > 0


def test_the_files_are_those_of_the_provenance():
    said = (FILES / "PROVENANCE.md").read_text(encoding="utf8")
    for file in FILES.glob("*.onnx"):
        assert f"| `{file.name}` | `{hashlib.sha256(file.read_bytes()).hexdigest()}` |" in said
