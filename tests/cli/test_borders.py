"""Paths, archives, full disks and other kinds of numbers on the command line: exit code 2 and one sentence."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import relucert_core as rc
from relucert_core.cli import main
from tests.datasets.test_pictures import shadowed
from tests.helpers import rest_slow

ROOT = Path(__file__).parents[2]
MODEL = ["--model", "mnist-20-20-20"]
SAMPLE = ["--data", "mnist-sample", "--first", "1"]
LONG = "a" * 300


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with hostile neighbours in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "empty.npy").write_bytes(b"")
    np.savez("scalar.npz", images=np.float64(3))
    np.savez("none.npz", images=np.zeros((0, 784)))
    np.savez("labels.npz", images=np.zeros((2, 784)), labels=np.zeros(3, int))
    np.savez("huge-labels.npz", images=np.zeros((2, 784)), labels=np.array([2**64 - 1, 0], dtype=np.uint64))
    np.savez("other.npz", pictures=np.zeros((2, 784)))
    np.savez("bytes.npz", images=np.full((2, 28, 28), 200, np.uint8))
    np.save("whole.npy", np.full((2, 784), 255))
    np.savez("nan.npz", images=np.full((2, 784), np.nan))
    (tmp_path / "brackets.safetensors").write_bytes((100_000).to_bytes(8, "little") + b"[" * 100_000)
    (tmp_path / "pictures" / "b.png").mkdir(parents=True)
    (tmp_path / "pictures" / "c.png").symlink_to("nowhere")
    (tmp_path / "lines.jsonl").write_bytes(b"\xff\xfe\n")
    (tmp_path / "deep.jsonl").write_text("[" * 100_000 + "\n")
    return tmp_path


BAD = {
    "an empty archive": ["certify", *MODEL, "--data", "empty.npz"],
    "an empty array": ["certify", *MODEL, "--data", "empty.npy"],
    "a scalar member": ["certify", *MODEL, "--data", "scalar.npz"],
    "no images": ["certify", *MODEL, "--data", "none.npz"],
    "too many labels": ["certify", *MODEL, "--data", "labels.npz"],
    "labels beyond 64 bits": ["certify", *MODEL, "--data", "huge-labels.npz", "--use-labels"],
    "another member": ["certify", *MODEL, "--data", "other.npz"],
    "bytes": ["certify", *MODEL, "--data", "bytes.npz"],
    "whole numbers": ["attack", *MODEL, "--data", "whole.npy"],
    "NaN": ["certify", *MODEL, "--data", "nan.npz"],
    "a long name": ["certify", *MODEL, "--data", LONG],
    "a long network": ["certify", "--model", LONG + ".safetensors", *SAMPLE],
    "a long output": ["certify", *MODEL, *SAMPLE, "--out", LONG],
    "no name": ["certify", *MODEL, "--data", ""],
    "no network": ["certify", "--model", "", *SAMPLE],
    "a null byte": ["certify", *MODEL, "--data", "a\0b.npz"],
    "a null byte in the network": ["certify", "--model", "a\0b.safetensors", *SAMPLE],
    "not UTF-8": ["certify", *MODEL, "--data", os.fsdecode(b"\xff\xfe.npz")],
    "a folder as network": ["certify", "--model", "pictures", *SAMPLE],
    "brackets": ["certify", "--model", "brackets.safetensors", *SAMPLE],
    "a folder as output": ["certify", *MODEL, *SAMPLE, "--out", "pictures"],
    "the empty output": ["certify", *MODEL, *SAMPLE, "--out", ""],
    "no folder for the output": ["certify", *MODEL, *SAMPLE, "--out", "no/such/file.jsonl"],
    "no text in the output": ["certify", *MODEL, *SAMPLE, "--out", "lines.jsonl"],
    "brackets in the output": ["certify", *MODEL, *SAMPLE, "--out", "deep.jsonl"],
    "a full disk": ["certify", *MODEL, *SAMPLE, "--out", "/dev/full"],
    "folder and dangling link as pictures": ["certify", *MODEL, "--data", "pictures"],
    "an unknown preset": ["presets", "--only", "nosuch", "--to", "presets"],
    "no folder for the table": ["closing", "--images", "1", "--seconds", "1000", "--out", "no/such/file.json"],
    "no folder for the search": ["search", "--seconds", "1000", "--out", "no/such/run"],
    "no folder for the network": ["train", "--recipe", "mnist-20-20-20", "--out", "no/such/net.safetensors"],
    "a file as a folder": ["reproduce", "figure-2b", "--images", "1", "--out", "empty.npz"],
    "no budget": ["search", "--seconds", "nan"],
    "an unknown model": ["models", os.fsdecode(b"\xff\xfe")],
    "an endless file to check": ["check", "/dev/zero", *MODEL, "--data", "mnist-sample"],
    "an endless file to convert": ["convert", "/dev/zero", "--out", "a.csv"],
    "an endless file to report": ["report", "/dev/zero"],
    "an endless file to inspect": ["models", "--inspect", "/dev/zero"],
    "a data set that is none": ["certify", *MODEL, "--data", "mnist-nosuch"],
}


@pytest.mark.skipif(sys.platform != "linux", reason="the paths are those of Linux")
@pytest.mark.parametrize("name", BAD)
def test_one_sentence_and_code_2(name, folder, capsys):
    before = sorted(folder.rglob("*"))
    assert main(BAD[name]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    last = captured.err.splitlines()[-1]
    assert 15 < len(last) < 300
    assert "Traceback" not in captured.err
    assert sorted(folder.rglob("*")) == before


def test_a_file_named_like_a_data_set_keeps_its_labels(tmp_path, monkeypatch, capsys):
    """`mnist-mine.npz` was taken for MNIST: labels translated, fives dropped."""
    monkeypatch.chdir(tmp_path)
    images, labels = rc.mnist_sample()
    fives = np.flatnonzero(labels == 5)[:2]
    np.savez("mnist-mine.npz", images=images[[*fives, 0]], labels=np.array([1, 0, 1]))
    np.savez("mnist-sample.npz", images=images[fives])
    arguments = ["certify", "--model", "mnist-gt5-1024", "--use-labels", "--data", "mnist-mine.npz"]
    assert main(arguments) == 0
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [e["label"] for e in entries] == [1, 0, 1]
    assert main(["certify", *MODEL, "--data", "mnist-sample.npz"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_images_on_another_scale_get_a_warning(tmp_path, capsys):
    images, _ = rc.mnist_sample()
    np.savez(tmp_path / "loud.npz", images=255 * images[:1])
    np.savez(tmp_path / "fine.npz", images=1.2 * images[:1])
    assert main(["certify", *MODEL, "--data", str(tmp_path / "loud.npz")]) == 0
    assert "run from 0 to 255" in capsys.readouterr().err
    assert main(["certify", *MODEL, "--data", str(tmp_path / "fine.npz")]) == 0
    assert capsys.readouterr().err == ""


def test_a_picture_with_a_hard_shadow_gets_a_warning(tmp_path, capsys):
    (tmp_path / "shadow.png").write_bytes(shadowed(rc.mnist_sample()[0][4], 0.3, 0.0))
    assert main(["certify", *MODEL, "--data", str(tmp_path)]) == 0
    assert "'shadow.png' can be read in two ways" in capsys.readouterr().err


def limited(code, **options):
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, **options)


@pytest.mark.skipif(sys.platform != "linux", reason="limits and devices are those of Linux")
def test_a_limit_on_file_sizes_leaves_whole_lines(tmp_path):
    out = tmp_path / "radii.jsonl"
    command = ["certify", *MODEL, *SAMPLE[:2], "--first", "130", "--out", str(out)]
    code = f"import sys; from relucert_core.cli import main; sys.exit(main({command!r}))"
    limit = 30_000
    run = limited(code, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert run.returncode == 2, run.stderr
    assert "cannot be written" in run.stderr.splitlines()[-1]
    assert "Traceback" not in run.stderr
    assert main(command) == 0
    images = {entry["index"] for line in out.read_text().splitlines() if (entry := parsed(line))}
    assert images == set(range(130))


def parsed(line):
    """What a whole line says; the one that the limit cut is left in the file and passed over by readers."""
    try:
        return json.loads(line)
    except ValueError:
        return None


@pytest.mark.skipif(sys.platform != "linux", reason="limits and devices are those of Linux")
@pytest.mark.parametrize("command", rest_slow((["certify", *MODEL, *SAMPLE], ["models"]), 1))
def test_a_full_standard_output(command):
    code = f"import sys; from relucert_core.cli import main; sys.exit(main({command!r}))"
    with open("/dev/full", "w") as full:
        run = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert run.returncode == 2
    assert len(run.stderr.splitlines()) == 1
    assert "No space left" in run.stderr


def test_no_home(monkeypatch, capsys, tmp_path):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "RELUCERT_MNIST", "RELUCERT_RUNS"):
        monkeypatch.delenv(name, raising=False)
    assert main(["data"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
