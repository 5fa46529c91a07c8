"""The closing table by several workers and shards: the same images once each, and a death is a status."""

from __future__ import annotations

import json
import math

import pytest

import relucert_core as rc
from relucert_core.cli import main
from relucert_core.errors import InvalidInput
from relucert_core.experiments.search_table import closing_store, finished, table_settings
from relucert_core.jobs.check import check
from relucert_core.jobs.closing import ImageTask, run_table
from relucert_core.jobs.locks import locked
from relucert_core.jobs.tasks import MEMORY, Context, Shard

SMALL = "mnist-20-20-20"


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_shards_and_workers_measure_every_image_once(tmp_path):
    settings = table_settings([SMALL], 3, 0.2)
    reports = []
    run_table(settings, tmp_path, shard=Shard(1, 2), show=reports.append)
    files = sorted(tmp_path.glob("*.jsonl"))
    assert len(files) == 1
    assert files[0].name.endswith(".1-of-2.jsonl")
    assert [line["image"] for line in lines_of(files[0])] == [100, 102]
    assert reports[-1].done == reports[-1].total == pytest.approx(0.4)
    run_table(settings, tmp_path, workers=2, show=reports.append)
    whole = closing_store(tmp_path, rc.load_model(SMALL), 0.2).path
    assert [line["image"] for line in lines_of(whole)] == [101], "the other shard's images are there"
    entries = finished(settings, tmp_path)[SMALL]
    assert [entry.image for entry in entries] == [100, 101, 102]
    assert all(0 < entry.lower <= entry.upper < math.inf and entry.crown <= entry.upper for entry in entries)


def test_a_second_writer_is_refused(tmp_path):
    settings = table_settings([SMALL], 1, 0.2)
    store = closing_store(tmp_path, rc.load_model(SMALL), 0.2)
    with locked(store.path), pytest.raises(InvalidInput, match="being written by another run"):
        run_table(settings, tmp_path)


def test_no_memory_is_a_status(monkeypatch):
    def none(*_):
        raise MemoryError

    monkeypatch.setattr("relucert_core.jobs.closing.measure", none)
    (entry,) = ImageTask(100, "d100", 1.0).carry_out(Context(rc.load_model(SMALL)))
    assert (entry.status, entry.lower, entry.upper, entry.image) == (MEMORY, 0.0, math.inf, 100)
    assert entry.ratio_at(1.0) == 0.0


def test_many_images_are_searched_from_by_workers_and_checked(tmp_path, capsys):
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    command = ["search", "--model", SMALL, "--data", "mnist-sample", "--first", "3", "--method", "neighbours"]
    command += ["--regions", "40", "--seconds", "60", "--points"]
    assert main([*command, "--out", str(one)]) == 0
    assert main([*command, "--workers", "2", "--out", str(two)]) == 0
    without_times = [
        [{k: v for k, v in line.items() if k != "seconds"} for line in sorted(lines_of(path), key=lambda e: e["index"])]
        for path in (one, two)
    ]
    assert without_times[0] == without_times[1]
    assert [line["index"] for line in without_times[0]] == [0, 1, 2]
    for line in without_times[0]:
        assert line["method"] == "neighbours"
        assert 0 < line["radius"] <= line["upper"]
        assert "witness" in line
    net, images = rc.load_model(SMALL), rc.mnist_sample()[0]
    assert check([two], net, images[:3]).good
    assert main([*command, "--out", str(one)]) == 0
    assert len(lines_of(one)) == 3, "nothing is searched again"
    capsys.readouterr()
    assert main(["search", "--shard", "1/2"]) == 2
    assert "many images" in capsys.readouterr().err
