"""The module for VERONA: with a stand-in of the four names that it takes from there, and with VERONA where it is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import relucert_core as rc

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "assets" / "tools"
STAND_IN = {
    "database/verification_context.py": "class VerificationContext: ...\n",
    "database/verification_result.py": """from dataclasses import dataclass
@dataclass
class CompleteVerificationData:
    result: str
    took: float
    counter_example: str | None = None
    obtained_labels: list | None = None
    err: str = ""
    stdout: str = ""
""",
    "verification_module/verification_module.py": "class VerificationModule: ...\n",
}
PROGRAM = """
import json, sys, types
from pathlib import Path
import numpy as np
from relucert_verona import RelucertModule
network, image, python = sys.argv[1:]
class Tensor:
    def __init__(self, values): self.values = values
    def reshape(self, _): return self
    def detach(self): return self
    def numpy(self): return self.values
class Generator:
    def create_vnnlib_property(self, image, label, epsilon):
        low, high = np.clip(image - epsilon, 0, 1), np.clip(image + epsilon, 0, 1)
        lines = [f"(declare-const X_{i} Real)" for i in range(len(image))]
        lines += [f"(declare-const Y_{j} Real)" for j in range(10)]
        for i, (a, b) in enumerate(zip(low, high)):
            lines += [f"(assert (<= X_{i} {b:.8f}))", f"(assert (>= X_{i} {a:.8f}))"]
        rivals = "\\n".join(f"\\t(and (>= Y_{j} Y_{label}))" for j in range(10) if j != label)
        content = "\\n".join(lines) + f"\\n(assert (or\\n{rivals}\\n))\\n"
        return types.SimpleNamespace(name="p", content=content, path=None)
class Context:
    network = types.SimpleNamespace(path=network)
    data_point = types.SimpleNamespace(data=Tensor(np.load(image)), label=7)
    property_generator = Generator()
    def save_vnnlib_property(self, asked):
        asked.path = Path(network).with_name("p.vnnlib")
        asked.path.write_text(asked.content)
module = RelucertModule((python, "-m", "relucert_core"), timeout=20)
found = [module.verify(Context(), eps) for eps in (0.001, 0.3)]
lost = RelucertModule(("no-such-command",)).verify(Context(), 0.1)
print(json.dumps([*(f.result for f in found), found[1].counter_example.splitlines()[0], lost.result, found[0].err]))
"""


def test_what_verona_asks_is_answered(tmp_path):
    for name, text in STAND_IN.items():
        path = tmp_path / "ada_verona" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf8")
    rc.save_network(rc.load_model("mnist-20-20-20"), tmp_path / "net.safetensors")
    np.save(tmp_path / "image.npy", rc.mnist_sample()[0][0])
    paths = os.pathsep.join(map(str, (tmp_path, TOOLS, ROOT)))
    call = [sys.executable, "-c", PROGRAM, str(tmp_path / "net.safetensors"), str(tmp_path / "image.npy")]
    done = subprocess.run(
        [*call, sys.executable],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])[:4] == ["UNSAT", "SAT", "sat", "ERR"]


def test_the_module_is_a_verification_module_of_verona():
    python = os.environ.get("RELUCERT_VERONA_PYTHON")
    if not python:
        pytest.skip("RELUCERT_VERONA_PYTHON names no Python that has ada-verona")
    program = "from ada_verona.verification_module.verification_module import VerificationModule as V\n"
    program += "from relucert_verona import RelucertModule as R\nassert issubclass(R, V)\nR()\n"
    done = subprocess.run(
        [python, "-c", program],
        env={**os.environ, "PYTHONPATH": str(TOOLS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
