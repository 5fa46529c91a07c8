"""The README is true: its Python runs, its files exist, its commands parse."""

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"), ids=lambda code: code.strip().splitlines()[-1][:40])
def test_python_runs_as_printed(code, capsys):
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.strip()


def test_named_files_and_folders_exist():
    for name in re.findall(r"`((?:relucert_core|tests|assets|pages)/[\w./-]+)`", README):
        assert (ROOT / name).exists(), name
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link


def test_commands_parse():
    from relucert_core.cli import parser

    commands = [line for block in blocks("bash") for line in block.splitlines() if " -m relucert_core " in line]
    assert len(commands) >= 4
    for line in commands:
        parser().parse_args(shlex.split(line)[3:])


def test_every_method_of_the_registries_is_named():
    import relucert_core as rc

    for name in rc.CERTIFICATES:
        assert f"`{name}`" in README
    for entry in rc.ATTACKS.values():
        assert entry.title.split()[0] in README


def test_nothing_is_left_to_be_determined():
    assert "TBD" not in README
