"""pyproject.toml says what requirements.txt, the package and the licences say."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import relucert_core

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))["project"]


def requirements(lines: list[str]) -> dict[str, SpecifierSet]:
    stated = [Requirement(line) for line in lines if line.strip() and not line.startswith(("#", "-"))]
    return {requirement.name: requirement.specifier for requirement in stated}


# The app reads ONNX files, so its requirements have what is an extra for who installs the package.
RANGES = requirements([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["onnx"]])
PINS = requirements((ROOT / "requirements.txt").read_text(encoding="utf8").splitlines())


def lies_in(pin: SpecifierSet, allowed: SpecifierSet) -> bool:
    """An exact pin lies in the range; a range must be the very same."""
    exact = [clause.version for clause in pin if clause.operator == "=="]
    return allowed.contains(exact[0]) if exact else pin == allowed


@pytest.mark.parametrize("name", sorted(PINS.keys() | RANGES.keys()))
def test_each_pin_lies_in_its_range_and_none_is_missing(name):
    assert name in PINS, f"{name} is missing in requirements.txt"
    assert name in RANGES, f"{name} is missing in pyproject.toml"
    assert lies_in(PINS[name], RANGES[name]), f"{name}{PINS[name]} is not in {RANGES[name]}"


def test_a_pin_outside_its_range_is_seen():
    assert not lies_in(SpecifierSet("==1.68.0"), SpecifierSet(">=1.67,<1.68"))
    assert not lies_in(SpecifierSet(">=2.0,<4"), SpecifierSet(">=2.0,<3"))


def test_every_range_has_both_ends():
    for name, allowed in RANGES.items():
        assert {clause.operator for clause in allowed} == {">=", "<"}, name


def test_the_version_stands_in_one_place():
    assert "version" in PROJECT["dynamic"]
    assert relucert_core.__version__ in (ROOT / ".github" / "CHANGELOG.md").read_text(encoding="utf8")


def test_the_pythons_are_those_of_the_readme():
    listed = [line.rsplit(" ", 1)[1] for line in PROJECT["classifiers"] if line.count("::") == 2 and "3." in line]
    words = (ROOT / "README.md").read_text(encoding="utf8")
    assert f"Python {listed[0]} to {listed[-1]}" in words
    assert PROJECT["requires-python"] == f">={listed[0]}"
