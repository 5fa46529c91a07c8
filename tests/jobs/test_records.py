"""Records of the best known bounds: what ships is verified, two of them join, and a file of one is checked."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest

import relucert_core as rc
from relucert_core.cli import main
from relucert_core.cli.records import parsed_rows
from relucert_core.errors import InvalidInput
from relucert_core.experiments.best_known import BestKnown, content, improved, shown, with_certificate
from relucert_core.importers.shipped import list_models
from relucert_core.jobs.check import check
from relucert_core.jobs.records import read_records, record_json, record_line, shipped_records
from relucert_core.paths import RECORDS
from relucert_core.words import down, up

SMALL = "mnist-20-20-20"
SHOWN_AT_ONCE = ((SMALL, 0), ("mnist-1024-512", 0), ("mnist-1024-512", 105), ("mnist-1024-512-regularised", 0))


@pytest.fixture(scope="module")
def tiny():
    """A network of three inputs, small enough for a search to end at once, and a point."""
    rng = np.random.default_rng(3)
    net = rc.Network([rng.normal(size=(6, 3)), rng.normal(size=(3, 6))], [rng.normal(size=6), rng.normal(size=3)])
    return net, rng.normal(size=3)


def test_the_shipped_records_hold():
    """Every witness is proved again and every lower bound lies below it, by the check that readers have."""
    images, labels = rc.mnist_sample()
    files = sorted(RECORDS.glob("*.jsonl"))
    assert files
    for path in files:
        card = next(card for card in list_models() if card.name == path.stem)
        kept = [i for i, label in enumerate(labels) if card.labels[label] is not None]
        found = check([path], rc.load_model(path.stem), images[kept])
        assert found.good, found.false
        assert found.witnesses == found.lines > 0
        assert not found.damaged


@pytest.mark.parametrize(("name", "image"), SHOWN_AT_ONCE)
def test_what_pages_open_with_has_a_record(name, image):
    net, x = rc.load_model(name), rc.mnist_sample()[0][image]
    found = rc.best_known(net, x, max_seconds=0)
    assert found.stored
    assert 0 < found.lower <= found.upper < math.inf
    assert found.lower >= rc.certify(net, x).radius
    assert found.upper <= rc.attack(net, x, method="deepfool").distance


@pytest.mark.parametrize("norm", [math.inf, 1.0])
@pytest.mark.parametrize(("name", "image"), SHOWN_AT_ONCE)
def test_so_it_has_in_the_other_norms(name, image, norm):
    """Digits and Beyond began with bounds of their own there: CROWN-Ada's, and the walk's, which is far below it."""
    net, x = rc.load_model(name), rc.mnist_sample()[0][image]
    found = rc.best_known(net, x, norm, max_seconds=0)
    assert found.stored
    assert 0 < found.lower <= found.upper < math.inf
    assert found.lower >= rc.certify(net, x, norm=norm).radius
    # Stored where a processor sums in its own order.
    assert found.upper <= (1 + 1e-9) * rc.attack(net, x, method="deepfool", norm=norm).distance


@pytest.mark.parametrize("norm", [math.inf, 1.0])
def test_what_is_computed_there_is_at_least_what_crown_proves(norm):
    net, x = rc.load_model(SMALL), rc.mnist_sample()[0][20]
    last = rc.best_known(net, x, norm, max_seconds=0.3)
    assert not last.stored
    assert last.lower >= rc.certify(net, x, method="crown-ada", norm=norm).radius > 0


def test_a_record_is_told_by_its_content(tiny):
    x = rc.mnist_sample()[0][0]
    net = rc.load_model(SMALL)
    other = rc.Network([w.copy() for w in net.weights], [b + 1e-3 for b in net.biases])
    assert content(net, x, 2.0) in shipped_records(net.digest)
    assert not shipped_records(other.digest)
    changed = np.array(x)
    changed[0] += 1 / 255
    assert content(net, changed, 2.0) not in shipped_records(net.digest)


@pytest.mark.parametrize("norm", [1.0, 2.0, math.inf])
def test_what_is_computed_holds(tiny, norm):
    net, x = tiny
    steps = list(improved(net, x, norm, max_seconds=5))
    for before, after in itertools.pairwise(steps):
        assert after.lower >= before.lower
        assert after.upper <= before.upper
    last = rc.best_known(net, x, norm, max_seconds=5)
    assert last.exact
    assert last.upper == pytest.approx(steps[-1].upper)
    assert last.lower <= last.upper
    gap = np.abs(last.witness - x)
    assert {1.0: gap.sum(), 2.0: np.linalg.norm(gap), math.inf: gap.max()}[norm] <= last.upper
    assert int(net(last.witness).argmax()) != last.label or np.ptp(np.sort(net(last.witness))[-2:]) < 1e-9


def test_two_records_join_to_the_better_bounds():
    base = BestKnown("a", "b", 2.0, 1, 0.2, 0.9, "simplex", "ddn", np.ones(2), 1.0)
    other = replace(base, lower=0.1, lower_by="fast-lin", upper=0.8, upper_by="best", witness=np.zeros(2), seconds=3.0)
    for joined in (base.better(other), other.better(base)):
        assert (joined.lower, joined.lower_by, joined.upper, joined.upper_by) == (0.2, "simplex", 0.8, "best")
        assert joined.witness is not None
        assert not joined.witness.any()
        assert joined.seconds == 3.0
    with pytest.raises(InvalidInput, match="same"):
        base.better(replace(base, digest="c"))


def test_estimates_and_other_classes_add_nothing(tiny):
    net, x = tiny
    known = replace(next(improved(net, x)), lower=0.0, upper=math.inf, witness=None)
    estimate = rc.certify(net, x, method="clever")
    assert estimate.radius > 0
    assert with_certificate(known, estimate) is known
    assert with_certificate(known, replace(rc.certify(net, x), label=1 - known.label % 2)) is known
    assert with_certificate(known, rc.certify(net, x)).lower == rc.certify(net, x).radius


def test_ratios_come_from_the_numbers_that_are_shown():
    known = BestKnown("a", "b", 2.0, 1, 0.41299, 0.65201, witness=np.ones(2))
    assert (down(known.lower), up(known.upper)) == ("0.412", "0.653")
    assert known.share == 0.412 / 0.653
    assert (shown(1.23456e-9), shown(1.23456e-9, upward=True)) == (1.23e-9, 1.24e-9)
    assert shown(math.inf) == math.inf


def test_a_record_of_ones_own_point_is_checked_without_its_data(tmp_path, capsys):
    net, x = rc.load_model(SMALL), np.round(rc.mnist_sample()[0][3] * 0.5 * 255) / 255
    found = rc.best_known(net, x, max_seconds=2)
    line = record_line(found, SMALL, "rc.best_known(net, x)", name="own", point=x)
    path = tmp_path / "relucert-record.json"
    path.write_text(record_json(line), encoding="utf8")
    assert main(["check", str(path)]) == 0
    assert "1 witnesses proved again" in capsys.readouterr().out
    assert {"version", "command", "cite", "digest", "image"} <= set(line)
    (again,) = read_records(path)
    assert (again.lower, again.upper, again.lower_by, again.key) == (
        found.lower,
        found.upper,
        found.lower_by,
        found.key,
    )
    path.write_text(record_json({**line, "radius": found.upper * 1.01, "guarantee": "lower bound"}), encoding="utf8")
    assert main(["check", str(path)]) == 1
    path.write_text(record_json({**line, "upper": found.upper * 0.9}), encoding="utf8")
    assert main(["check", str(path)]) == 1


def test_a_record_fits_the_schema_of_lines():
    jsonschema = pytest.importorskip("jsonschema")
    from relucert_core.jobs.schema import line_schema

    line = json.loads((RECORDS / f"{SMALL}.jsonl").read_text(encoding="utf8").splitlines()[0])
    jsonschema.validate(line, line_schema())


def test_the_command_keeps_what_it_has(tmp_path, capsys):
    arguments = ["records", "--networks", SMALL, "--images", "0", "--seconds", "2", "--to", str(tmp_path)]
    assert main(arguments) == 0
    before = (tmp_path / f"{SMALL}.jsonl").read_bytes()
    assert main(arguments) == 0
    assert (tmp_path / f"{SMALL}.jsonl").read_bytes() == before
    assert read_records(tmp_path / f"{SMALL}.jsonl")[0].exact
    assert main([*arguments, "--norms", "inf"]) == 0
    kept = read_records(tmp_path / f"{SMALL}.jsonl")
    assert [record.norm for record in kept] == [2.0, math.inf]
    assert kept[0].exact
    (tmp_path / f"{SMALL}.jsonl").write_text('{"format": 2}\n', encoding="utf8")
    with pytest.raises(InvalidInput, match="line 1"):
        read_records(tmp_path / f"{SMALL}.jsonl")


@pytest.mark.parametrize(("text", "rows"), [("0-3,7", [0, 1, 2, 3, 7]), ("5", [5]), ("3,3", [3])])
def test_images_are_named_by_numbers(text, rows):
    assert parsed_rows(text) == rows


@pytest.mark.parametrize("text", ["", "a", "3-1", "-1", "1000", "0-1000"])
def test_strange_numbers_get_a_sentence(text):
    with pytest.raises(InvalidInput, match="--images"):
        parsed_rows(text)
