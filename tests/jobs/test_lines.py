"""Lines: nothing is lost on the way to the file and back, and what is damaged is nobody's answer."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from relucert_core.cli import main
from relucert_core.errors import DataUnavailable, InvalidInput
from relucert_core.jobs.lines import FORMAT, packed_point, read_lines, unpacked_point
from relucert_core.jobs.locks import locked
from relucert_core.jobs.output import answered, opened

ENTRY = {"format": FORMAT, "run": "a" * 12, "image": "x#0", "method": "simplex", "kind": "certificate", "index": 0}


def test_a_point_comes_back_to_the_bit():
    point = np.random.default_rng(1).normal(size=50) * 10.0 ** np.arange(-200, 200, 8)
    np.testing.assert_array_equal(unpacked_point(packed_point(point), 50), point)


@pytest.mark.parametrize("text", ["", "%%", packed_point(np.zeros(2)), packed_point(np.array([1.0, np.nan, 0.0])), 7])
def test_a_damaged_point_is_refused(text):
    with pytest.raises(InvalidInput):
        unpacked_point(text, 3)


@pytest.mark.parametrize("bad", [b"{", b"[1]", b"\xff\xfe", b"[" * 100_000, b'{"run": 3}', b"null", b'{"index": true}'])
def test_a_line_that_does_not_parse_is_left_out(tmp_path, bad):
    path = tmp_path / "x.jsonl"
    whole = json.dumps(ENTRY).encode()
    path.write_bytes(whole + b"\n" + bad + b"\n\n" + whole + b"\n")
    assert [line.entry is not None for line in read_lines(path)] == [True, False, True]
    assert answered(path, "a" * 12) == {(0, "simplex"): "x#0"}


def test_a_cut_last_line_is_ended_and_left(tmp_path):
    path = tmp_path / "x.jsonl"
    whole = json.dumps(ENTRY)
    path.write_text(whole + "\n" + whole[:30])
    with opened(path) as output:
        output.write([{**ENTRY, "index": 1}])
    assert path.read_text() == f"{whole}\n{whole[:30]}\n{json.dumps({**ENTRY, 'index': 1})}\n"
    assert set(answered(path, "a" * 12)) == {(0, "simplex"), (1, "simplex")}


def test_a_file_of_another_run_or_of_something_else_is_refused(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(ENTRY) + "\n")
    with pytest.raises(InvalidInput, match="other settings"):
        answered(path, "b" * 12)
    path.write_text(json.dumps({**ENTRY, "format": 1}) + "\n")
    with pytest.raises(InvalidInput, match="another version"):
        answered(path, "a" * 12)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InvalidInput, match="no line of a run"):
        answered(path, "a" * 12)


def test_a_second_writer_is_refused_with_the_first_ones_number(tmp_path):
    path = tmp_path / "x.jsonl"
    with locked(path), pytest.raises(InvalidInput, match=f"process {os.getpid()}"), locked(path):
        pass
    with locked(path):  # given back
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_the_lock_dies_with_its_process(tmp_path):
    path = tmp_path / "x.jsonl"
    code = (
        "import sys, time, pathlib; from relucert_core.jobs.locks import locked\n"
        "with locked(pathlib.Path(sys.argv[1])):\n print('locked', flush=True)\n time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    assert holder.stdout.readline().startswith(b"locked")
    with pytest.raises(InvalidInput, match=f"process {holder.pid}"), locked(path):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with locked(path):
        pass


def test_a_folder_that_is_not_there_is_said_before_anything_is_computed(tmp_path):
    with pytest.raises(DataUnavailable, match="folder that exists"), opened(tmp_path / "no" / "x.jsonl"):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="file-size limits are Unix's")
def test_a_limit_on_the_files_size_leaves_whole_lines_and_one_sentence(tmp_path, small):
    model, data, _, _ = small
    out = tmp_path / "x.jsonl"
    command = [sys.executable, "-m", "relucert_core", "certify", "--model", str(model), "--data", str(data)]
    command += ["--method", "simplex", "--out", str(out)]
    limited = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000))"
    limited += f"; sys.argv = {command[2:]!r}; runpy.run_module('relucert_core', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", limited], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "the lines before are whole" in done.stderr
    assert "Traceback" not in done.stderr
    before = [line.entry for line in read_lines(out) if line.entry]
    assert 10 < len(before) < 200
    assert main(command[3:]) == 0
    after = [line.entry for line in read_lines(out) if line.entry]
    assert after[: len(before)] == before
    assert sorted(e["index"] for e in after) == list(range(200))


def wait_for(condition, seconds=240.0):
    """Wait until `condition()` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)
