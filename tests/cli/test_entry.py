"""The command itself: its version, its names, the completion of the shell, and what `app` says to bad arguments."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import relucert_core
from relucert_core import paths
from relucert_core.attacks import ATTACKS
from relucert_core.cli import main
from relucert_core.registry import CERTIFICATES


def test_the_version_is_the_packages(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"relucert {relucert_core.__version__}\n"


@pytest.mark.parametrize(
    ("called", "usage"),
    [("/some/bin/relucert", "usage: relucert "), ("__main__.py", "usage: python -m relucert_core ")],
)
def test_help_names_the_command_as_it_was_called(called, usage, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [called])
    with pytest.raises(SystemExit):
        main(["--help"])
    assert capsys.readouterr().out.startswith(usage)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "eighty", "²", "8" * 400])
def test_a_port_that_is_none_gets_a_sentence(port, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["app", f"--port={port}"])
    assert ended.value.code == 2
    assert "a port is a whole number from 1 to 65535" in capsys.readouterr().err


def test_app_hands_the_router_and_its_options_to_streamlit(monkeypatch):
    from streamlit.web import cli as streamlit

    calls = []
    monkeypatch.setattr(streamlit, "main", lambda arguments, **options: calls.append((arguments, options)))
    assert main(["app", "--port", "8600", "--headless"]) == 0
    assert main(["app"]) == 0
    options = ["--server.port", "8600", "--server.headless", "true"]
    assert calls == [
        (["run", str(paths.APP), *options], {"standalone_mode": False}),
        (["run", str(paths.APP)], {"standalone_mode": False}),
    ]


def test_a_public_app_has_the_safe_limits_where_the_environment_says_nothing(monkeypatch, capsys):
    from streamlit.web import cli as streamlit

    from relucert_core.places.settings import SETTINGS

    monkeypatch.setattr(streamlit, "main", lambda *_, **__: None)
    environment = {"RELUCERT_UPLOADS": "7"}
    monkeypatch.setattr("os.environ", environment)
    assert main(["app"]) == 0
    assert {name for name in environment if name.startswith("RELUCERT")} == {"RELUCERT_UPLOADS"}
    assert main(["app", "--public"]) == 0
    assert {setting.name: setting.read() for setting in SETTINGS if setting.name != "RELUCERT_UPLOADS"} == {
        setting.name: setting.public for setting in SETTINGS if setting.name != "RELUCERT_UPLOADS"
    }
    assert environment["RELUCERT_UPLOADS"] == "7"
    environment["RELUCERT_WORKERS"] = "many"
    assert main(["app"]) == 2
    assert "RELUCERT_WORKERS is a number from 0 to 256" in capsys.readouterr().err
    environment |= {"RELUCERT_WORKERS": "1", "RELUCERT_IMPRINT": "Imprint=javascript:alert(1)"}
    assert main(["app"]) == 2
    assert "RELUCERT_IMPRINT takes Words=https://" in capsys.readouterr().err


def completions(script: str, line: str) -> set[str]:
    """What bash offers at the end of a line once it has read the script."""
    words = line.split(" ")
    code = (
        f"{script}\n"
        f"COMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}\n"
        "_shtab_relucert relucert\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_the_shell_completes_commands_options_and_shipped_names(capsys):
    pytest.importorskip("shtab")
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    assert {"certify", "attack", "search", "train", "reproduce", "closing", "models", "app"} <= completions(
        script, "relucert "
    )
    assert completions(script, "relucert app --he") == {"--headless", "--help"}
    assert completions(script, "relucert certify --method ") >= set(CERTIFICATES)
    assert completions(script, "relucert attack --method ") >= set(ATTACKS)
    assert completions(script, "relucert certify --model mnist-gt") == {"mnist-gt5-1024"}


def test_without_shtab_a_sentence_says_what_to_do(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["completion", "zsh"]) == 2
    assert 'pip install "relucert[completion]"' in capsys.readouterr().err


def test_without_a_home_caches_go_to_the_folder_for_temporary_files(monkeypatch, tmp_path):
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    assert paths.user_cache().is_relative_to(tmp_path)


def test_assets_and_app_lie_in_the_checkout():
    root = Path(relucert_core.__file__).resolve().parents[1]
    assert not paths.INSTALLED
    assert root == paths.ROOT
    for place in (paths.APP, paths.PAGES, paths.DIGITS, paths.RESULTS, paths.NETWORKS, paths.PRESETS):
        assert place.exists(), place
        assert place.is_relative_to(root)
