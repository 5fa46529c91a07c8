"""The loop and its crews: the same lines whoever works, deaths survived, interrupts that keep what is finished."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from relucert_core.cli import main
from relucert_core.errors import InvalidInput
from relucert_core.jobs.crews import Alone, Processes
from relucert_core.jobs.lines import read_lines
from relucert_core.jobs.loop import carry_out
from relucert_core.jobs.output import Output
from relucert_core.jobs.run import Run, run
from relucert_core.jobs.tasks import DIED, MEMORY, Context, Method, Shard, Task, answers, blocks, open_tasks
from tests.jobs.test_lines import wait_for

SIMPLEX = Method("certificate", "simplex", 2.0)
METHODS = (SIMPLEX, Method("certificate", "crown-ada", 2.0), Method("attack", "deepfool", 2.0, witnesses=True))
needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="kill -9")


def whole(path):
    """The lines sorted by image and method, without times."""
    entries = [dict(line.entry) for line in read_lines(path) if line.entry]
    for entry in entries:
        entry.pop("seconds")
    return sorted(entries, key=lambda e: (e["index"], e["method"]))


def wanted(small, **changes):
    _, _, net, points = small
    settings = {"network": "small", "points": points, "labels": None, "methods": METHODS} | changes
    return Run(Context(net), names=[f"p/{i}" for i in range(len(settings["points"]))], **settings)


@pytest.fixture(scope="module")
def alone(small, tmp_path_factory):
    path = tmp_path_factory.mktemp("alone") / "x.jsonl"
    run(wanted(small), path)
    return whole(path)


def test_one_process_answers_everything_once(alone):
    assert [(e["index"], e["method"]) for e in alone] == sorted((i, m.name) for i in range(200) for m in METHODS)


def test_worker_processes_write_the_same_lines(small, alone, tmp_path):
    run(wanted(small), tmp_path / "x.jsonl", workers=2)
    assert whole(tmp_path / "x.jsonl") == alone


def test_shards_write_the_same_lines_together(small, alone, tmp_path):
    parts = []
    for i in (1, 2, 3):
        run(wanted(small, shard=Shard(i, 3)), tmp_path / f"{i}.jsonl")
        parts += whole(tmp_path / f"{i}.jsonl")
    assert sorted(parts, key=lambda e: (e["index"], e["method"])) == alone


def test_a_run_goes_on_by_whole_blocks(small, alone, tmp_path):
    path = tmp_path / "x.jsonl"
    run(wanted(small), path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line for i, line in enumerate(lines) if i % 5))
    run(wanted(small), path)
    assert whole(path) == alone


def test_other_images_are_not_mixed(small, tmp_path):
    path = tmp_path / "x.jsonl"
    run(wanted(small), path)
    with pytest.raises(InvalidInput, match="another image"):
        run(wanted(small, points=small[3] + 1.0), path)


@pytest.mark.parametrize("text", ["", "0/2", "3/2", "1", "a/b", "1/2/3", "-1/2"])
def test_a_bad_shard_is_refused(text):
    with pytest.raises(InvalidInput, match="i/n"):
        Shard.parse(text)


def test_every_block_belongs_to_one_shard():
    pieces = [list(blocks(METHODS, 300, Shard(i, 4))) for i in (1, 2, 3, 4)]
    together = [(m.name, r.start, r.stop) for piece in pieces for m, r in piece]
    assert sorted(together) == sorted((m.name, r.start, r.stop) for m, r in blocks(METHODS, 300, Shard()))
    assert len(set(together)) == len(together) == 15


def test_a_lack_of_memory_is_a_line(small, monkeypatch):
    def nothing_left(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr("relucert_core.registry.certify", nothing_left)
    found = answers(Context(small[2]), Task(SIMPLEX, 0, small[3][:3], None, (0, 2)))
    assert [(a["radius"], a["status"]) for a in found] == [(0.0, MEMORY)] * 2


class Deadly(Processes):
    """Workers that die at once of the tasks that start at an image in `fatal`."""

    fatal = (64, 128)

    def submit(self, task):
        return self._pool.submit(os._exit, 9) if task.start in self.fatal else super().submit(task)


class DeadlyOnce(Deadly):
    """A worker dies once; the task is harmless the next time."""

    def submit(self, task):
        future = super().submit(task)
        self.fatal = tuple(start for start in self.fatal if start != task.start)
        return future


def carried_out(small, crew):
    points, found = small[3], {}
    try:
        carry_out(open_tasks([SIMPLEX], points, None, (), Shard()), crew, lambda t, a: found.update(zip(t.wanted, a)))
    finally:
        crew.close()
    return found


@needs_signals
def test_a_task_that_kills_three_workers_becomes_a_line(small):
    found = carried_out(small, Deadly(Context(small[2]), 2))
    died = [i for i, a in found.items() if a["status"] == DIED]
    assert sorted(died) == list(range(64, 192))
    assert all(found[i]["radius"] == 0.0 for i in died)
    assert len(found) == 200


@needs_signals
def test_a_worker_that_dies_once_is_replaced(small):
    found = carried_out(small, DeadlyOnce(Context(small[2]), 2))
    assert {a["status"] for a in found.values()} == {
        a["status"] for a in carried_out(small, Alone(Context(small[2]))).values()
    }


def test_an_error_of_a_task_is_raised(small):
    class Wrong(Alone):
        def submit(self, task):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        carried_out(small, Wrong(Context(small[2])))


@needs_signals
@pytest.mark.parametrize(
    ("number", "workers"), [(signal.SIGINT, 1), pytest.param(signal.SIGTERM, 2, marks=pytest.mark.slow)]
)
def test_an_interrupt_keeps_the_finished_lines_and_ends_soon(tmp_path, number, workers):
    out = tmp_path / "x.jsonl"
    command = [sys.executable, "-m", "relucert_core", "certify", "--model", "mnist-1024-512", "--data", "mnist-sample"]
    command += ["--method", "simplex,crown-ada", "--out", str(out), "--workers", str(workers)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: out.exists() and out.stat().st_size > 0)
    begun = time.monotonic()
    running.send_signal(number)
    _, error = running.communicate(timeout=30)
    assert time.monotonic() - begun < 25  # 2 s on a quiet machine
    assert running.returncode == 130
    assert b"Traceback" not in error
    lines = list(read_lines(out))
    assert len(lines) >= 64
    assert all(line.entry is not None for line in lines)
    assert len({(e.entry["index"], e.entry["method"]) for e in lines}) == len(lines)
    assert not (tmp_path / "x.jsonl.lock").exists()


@needs_signals
def test_an_interrupt_between_writing_and_knowing_doubles_no_line(small, alone, tmp_path, monkeypatch):
    write, interrupted = Output.write, []

    def write_and_interrupt(self, entries):
        write(self, entries)
        if not interrupted:
            interrupted.append(True)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Output, "write", write_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(wanted(small), tmp_path / "x.jsonl")
    first = whole(tmp_path / "x.jsonl")
    assert 0 < len(first) < len(alone)
    assert len({(e["index"], e["method"]) for e in first}) == len(first)
    run(wanted(small), tmp_path / "x.jsonl")
    assert whole(tmp_path / "x.jsonl") == alone


@needs_signals
def test_an_error_while_answers_are_taken_goes_before_an_interrupt_and_leaves_none(small):
    refused = []

    def refuse(task, answers):
        if not refused:  # what was not taken is offered again before the end
            refused.append(task)
            os.kill(os.getpid(), signal.SIGINT)
            raise InvalidInput("No room.")

    _, _, net, points = small
    crew, before = Alone(Context(net)), signal.getsignal(signal.SIGINT)  # a process of the background ignores it
    with pytest.raises(InvalidInput, match="No room"):
        carry_out(open_tasks([SIMPLEX], points, None, set(), Shard()), crew, refuse)
    assert signal.getsignal(signal.SIGINT) is before


def children_of(pid):
    """The processes under `pid`, children's children too; empty where the system does not tell."""
    folder = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(word) for word in folder.read_text().split()] if folder.exists() else []
    return found + [grandchild for child in found for grandchild in children_of(child)]


def alive(pid):
    """Does the process still run (a zombie does not)?"""
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@needs_signals
def test_a_killed_client_a_cut_line_and_a_second_start_lose_nothing(small, alone, tmp_path):
    model, data, _, _ = small
    out = tmp_path / "x.jsonl"
    command = [sys.executable, "-m", "relucert_core", "certify", "--model", str(model), "--data", str(data)]
    command += ["--method", "simplex,crown-ada", "--attack", "deepfool", "--points", "--out", str(out)]
    running = subprocess.Popen([*command, "--workers", "2"], stderr=subprocess.DEVNULL)
    wait_for(lambda: out.exists() and out.stat().st_size > 0)
    workers = children_of(running.pid)
    running.kill()
    running.communicate()
    wait_for(lambda: not any(alive(pid) for pid in workers))
    with out.open("rb+") as stream:
        stream.truncate(out.stat().st_size - 7)
    assert main(command[3:]) == 0
    found = [line for line in read_lines(out) if line.entry]
    assert len({(e.entry["index"], e.entry["method"]) for e in found}) == len(found) == 600
    np.testing.assert_array_equal(
        [e["radius"] for e in whole(out) if e["method"] == "crown-ada"],
        [e["radius"] for e in alone if e["method"] == "crown-ada"],
    )
