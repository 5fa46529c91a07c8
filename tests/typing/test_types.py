"""Every public name says truly what it holds: to mypy in a user's script, and when it runs."""

from __future__ import annotations

import ast
import dataclasses
import os
import re
import runpy
import subprocess
import sys
import types
import typing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import relucert_core as rc
from relucert_core import arrays
from relucert_core.planar.adjacency import Edges
from relucert_core.planar.decision import Decision
from tests.packaging.environments import Environment, build

SCRIPT = Path(__file__).with_name("user_script.py")


def test_the_two_lists_of_public_names_agree():
    tree = ast.parse(Path(rc.__file__).read_text(encoding="utf8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    stated = {
        alias.asname: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert sorted([*stated, "search"]) == rc.__all__  # search is there from the start
    assert stated == {name: f"relucert_core.{module}" for name, module in rc._MODULE_OF.items()}


def test_the_script_uses_every_public_name():
    used = set(re.findall(r"\brc\.(\w+)", SCRIPT.read_text(encoding="utf8")))
    assert used >= set(rc.__all__)


@pytest.fixture(scope="module")
def ran() -> dict[str, Any]:
    """The names of the script after it has run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typing, "reveal_type", lambda value: value)
        return runpy.run_path(str(SCRIPT))


def fits(value: Any, hint: Any) -> bool:
    """Does a value fit the arrays in an annotation, by rank and kind? What is no array fits."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, part) for part in parts)
    if origin is np.ndarray:
        shape, kind = (typing.get_args(part) for part in parts)
        ranked = shape[-1:] == (...,) or (isinstance(value, np.ndarray) and value.ndim == len(shape))
        return isinstance(value, np.ndarray) and ranked and np.issubdtype(value.dtype, kind[0])
    if origin is tuple and isinstance(value, tuple) and parts[-1:] == (...,):
        return all(fits(part, parts[0]) for part in value)
    return hint is not type(None) or value is None


@pytest.mark.parametrize(
    "name", ["cert", "adv", "region", "inside", "plane", "answer", "step", "verdict", "told", "layer"]
)
def test_the_arrays_of_a_record_are_what_it_says(ran, name):
    record = ran[name]
    space = {**vars(arrays), **vars(sys.modules[type(record).__module__]), "Found": object, "Any": Any}
    hints = typing.get_type_hints(type(record), space)
    for field in dataclasses.fields(record):
        assert fits(getattr(record, field.name), hints[field.name]), (field.name, hints[field.name])
    for attribute, member in vars(type(record)).items():
        getter = getattr(member, "fget", None) or getattr(member, "func", None)
        if getter is not None and not attribute.startswith("_"):
            hint = typing.get_type_hints(getter, space)["return"]
            assert fits(getattr(record, attribute), hint), (attribute, hint)


def test_the_arrays_of_cells_and_edges_are_what_they_say(ran):
    for record, kind in ((ran["plane"].decision, Decision), (ran["plane"].edges, Edges)):
        hints = typing.get_type_hints(kind)
        for field in dataclasses.fields(kind):
            assert fits(getattr(record, field.name), hints[field.name]), field.name


def test_a_wrong_rank_or_kind_is_seen():
    assert not fits(np.zeros((2, 2)), arrays.Vector)
    assert not fits(np.zeros(2, dtype=np.float32), arrays.Vector)
    assert not fits([0.0], arrays.Vector)
    assert not fits((np.zeros(2), np.zeros((2, 2))), tuple[arrays.Vector, ...])
    assert fits(None, arrays.Vector | None)
    assert not fits("x", arrays.Vector | None)


@pytest.mark.slow
def test_mypy_strict_sees_no_any_in_a_users_script(tmp_path):
    """The package is installed as a user has it: from the wheel, found by its py.typed."""
    environment = Environment(tmp_path / "environment")
    environment.install(build("wheel", tmp_path))
    script = tmp_path / "user_script.py"
    script.write_text(SCRIPT.read_text(encoding="utf8") + "\nwrong: str = rc.certify(net, x).radius\n", encoding="utf8")
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(environment.python), script.name]
    clean = {name: value for name, value in os.environ.items() if name not in ("MYPYPATH", "PYTHONPATH")}
    done = subprocess.run(command, cwd=tmp_path, env=clean, capture_output=True, text=True, check=False)
    revealed = [line for line in done.stdout.splitlines() if "Revealed type is" in line]
    assert len(revealed) == SCRIPT.read_text(encoding="utf8").count("reveal_type("), done.stdout + done.stderr
    assert not [line for line in revealed if re.search(r"\bAny\b", line)]
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert len(errors) == 1, errors  # the one that was put in at the end
    assert "[assignment]" in errors[0]
    told = dict(re.findall(r"user_script.py:(\d+): note: Revealed type is \"(.*)\"", done.stdout))
    lines = SCRIPT.read_text(encoding="utf8").splitlines()
    of = {lines[int(number) - 1].strip(): kind for number, kind in told.items()}
    assert of["reveal_type(cert)"] == "relucert_core.certificates.result.Certificate"
    assert of["reveal_type(batch)"] == "relucert_core.certificates.result.CertificateBatch"
    assert of["reveal_type(either)"].count("Certificate") == 2
    assert of["reveal_type(cert.radius)"] == "float"
