"""check: true runs pass, and every kind of lie is found."""

import json

import numpy as np
import pytest

from relucert_core.jobs.check import check
from relucert_core.jobs.lines import packed_point, read_lines
from relucert_core.jobs.run import run
from relucert_core.jobs.tasks import Method
from tests.jobs.test_loop import wanted

METHODS = (
    Method("certificate", "simplex", 2.0, witnesses=True),
    Method("certificate", "exact", 2.0, block=1, options={"max_regions": 200}, witnesses=True),
    Method("attack", "deepfool", 2.0, witnesses=True),
)


@pytest.fixture(scope="module")
def lines(small, tmp_path_factory):
    path = tmp_path_factory.mktemp("check") / "x.jsonl"
    run(wanted(small, points=small[3][:12], methods=METHODS), path)
    return [dict(line.entry) for line in read_lines(path)]


def checked(small, tmp_path, entries, extra=b""):
    path = tmp_path / "x.jsonl"
    path.write_bytes("".join(json.dumps(e) + "\n" for e in entries).encode() + extra)
    return check([path], small[2], small[3][:12])


def test_a_true_run_passes(small, lines, tmp_path):
    found = checked(small, tmp_path, lines)
    assert found.good
    assert (found.lines, found.images, len(found.damaged)) == (36, 12, 0)
    assert found.witnesses >= 12


def change(entry, method, net, point):
    """A lie about an entry; None where it does not suit it."""
    finite = entry.get("upper") if entry["kind"] == "certificate" else entry.get("distance")
    lies = {
        "radius": lambda: {"radius": 1e6} if entry["kind"] == "certificate" else None,
        "infinite": lambda: {"radius": None, "status": "ok"} if entry["kind"] == "certificate" else None,
        "distance": lambda: {"distance": finite * 0.99} if entry["kind"] == "attack" and finite else None,
        "witness": lambda: {"witness": packed_point(point)} if entry.get("witness") else None,
        "garbage": lambda: {"witness": "AAAA"} if entry.get("witness") else None,
        "prediction": lambda: {"prediction": (entry["prediction"] + 1) % 3} if entry["kind"] == "certificate" else None,
        "exact": lambda: {"guarantee": "exact"} if entry["method"] == "simplex" and not entry["upper"] else None,
        "digest": lambda: {"digest": "0" * 64},
        "image": lambda: {"image": "p/0#" + "0" * 16},
        "index": lambda: {"index": 99},
        "text": lambda: {"radius" if entry["kind"] == "certificate" else "distance": "far"},
        "kind": lambda: {"kind": "hope"},
    }
    return lies[method]()


@pytest.mark.parametrize(
    "lie",
    [
        "radius",
        "infinite",
        "distance",
        "witness",
        "garbage",
        "prediction",
        "exact",
        "digest",
        "image",
        "index",
        "text",
        "kind",
    ],
)
def test_a_lie_is_found(small, lines, tmp_path, lie):
    tried = 0
    for i, entry in enumerate(lines):
        changed = change(entry, lie, small[2], small[3][entry["index"]])
        if changed is None:
            continue
        tried += 1
        found = checked(small, tmp_path, [*lines[:i], {**entry, **changed}, *lines[i + 1 :]])
        assert not found.good, (lie, entry)
        assert found.false
        if tried == 3:
            return
    assert tried


def test_a_damaged_line_is_named_and_counts_only_when_its_image_has_no_other(small, lines, tmp_path):
    cut = json.dumps(lines[4]).encode()[:250]
    found = checked(small, tmp_path, lines, cut + b"\n")
    assert found.good
    assert "line 37 is damaged" in found.damaged[0]
    found = checked(small, tmp_path, lines[:4] + lines[5:], cut + b"\n")
    assert not found.good
    assert "no whole line" in found.lost[0]
    assert checked(small, tmp_path, lines, b"\x00\x01\n").good  # nothing is missing
    assert not checked(small, tmp_path, lines[:4] + lines[5:], b"\x00\x01\n").good


def test_points_survive_as_arrays(small, lines, tmp_path):
    from relucert_core.jobs.convert import write_points

    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(e) + "\n" for e in lines))
    count = write_points([path], tmp_path / "x.npz", 3)
    with np.load(tmp_path / "x.npz") as file:
        assert file["points"].shape == (count, 3)
        assert len(file["index"]) == len(file["method"]) == count
