"""The README is true: its Python runs, its files exist, its commands parse."""

import re
import shlex
import warnings
from pathlib import Path

import pytest

from relucert_core.certificates.result import UNPLACED

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf8")


CONTRIBUTING = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf8")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"), ids=lambda code: code.strip().splitlines()[-1][:40])
def test_python_runs_as_printed(code, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where nobody's files are in the way
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of PyTorch's older exporter
        exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.strip()


def test_named_files_and_folders_exist():
    for name in re.findall(r"`((?:relucert_core|tests|assets|pages)/[\w./-]+)`", README):
        assert (ROOT / name).exists(), name
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_commands_parse(text):
    from relucert_core.cli import parser

    commands = [line for block in blocks("bash", text) for line in block.splitlines()]
    calls = [shlex.split(line)[3:] for line in commands if " -m relucert_core " in line]
    calls += [shlex.split(line)[1:] for line in commands if line.startswith("relucert ")]
    calls += [shlex.split(call)[1:] for call in re.findall(r"`(relucert [a-z][^`\[\n]* [^`\[\n]*)`", text)]
    assert calls
    for call in calls:
        if call != ["--version"]:
            parser("relucert").parse_args(call)


def test_what_contributing_names_exists():
    for name in re.findall(r"`((?:relucert_core|tests|assets|pages|\.github|\.ci)/[\w./-]+)`", CONTRIBUTING):
        assert "NAME" in name or name == "pages/7_NAME.py" or (ROOT / name).exists(), name
    for module in re.findall(r"-m (tests[\w.]+)", CONTRIBUTING):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module


def test_every_method_of_the_registries_is_named():
    import relucert_core as rc

    for name, entry in rc.CERTIFICATES.items():
        assert f"`{name}`" in README or entry.place == UNPLACED
    for entry in rc.ATTACKS.values():
        assert entry.title.split()[0] in README


def test_nothing_is_left_to_be_determined():
    assert "TBD" not in README


def test_how_to_cite_has_one_home():
    from relucert_core.citation import bibtex

    assert blocks("bibtex") == [bibtex()]
