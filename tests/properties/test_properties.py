"""VNN-LIB: what is written is read back to the bit, answers hold in rationals, and what is not taken has a sentence."""

import itertools
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import relucert_core as rc
from relucert_core.cli import main
from relucert_core.forward import rational_logits
from relucert_core.properties.decide import unit_box
from relucert_core.properties.records import Interval, Property

TWO_INPUTS = """; a comment (with brackets
(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
(declare-const Y_1 Real)
(declare-const Y_2 Real)
"""
BOX = "(assert (and (<= X_0 1.5) (>= X_0 -0.5)))\n(assert (<= X_1 1e-1)) (assert (<= 0.05 X_1))\n"
RIVALS = "(assert (or (and (>= Y_1 Y_0)) (<= Y_0 Y_2)))\n"
SECOND = """(vnnlib-version <2.0>)
(declare-network f (declare-input X float32 [1,2]) (declare-output Y float32 [3]))
"""


def random_net(seed, widths=(2, 5, 4, 3)):
    rng = np.random.default_rng(seed)
    pairs = list(itertools.pairwise(widths))
    return rc.Network([rng.normal(size=(b, a)) for a, b in pairs], [rng.normal(size=b) * 0.3 for _, b in pairs])


def test_version_1():
    found = rc.parse_property(TWO_INPUTS + BOX + RIVALS)
    assert (found.inputs, found.outputs, found.label, set(found.rivals)) == (2, 3, 0, {1, 2})
    assert found.box == (Interval(Fraction(-1, 2), Fraction(3, 2)), Interval(Fraction(1, 20), Fraction(1, 10)))
    assert found.ball is None


def test_version_2_with_a_box_a_ball_and_one_rival():
    text = SECOND + (
        "(assert (<= X[0,0] 1.0)) (assert (>= X[0,0] 0.0)) (assert (< X[0,1] 1.0)) (assert (>= X[0,1] 0.0))\n"
        "(assert (<= (+ (* (- X[0,0] 0.25) (- X[0,0] 0.25)) (* (- X[0,1] 0.5) (- X[0,1] 0.5))) 0.01))\n"
        "(assert (> Y[2] Y[1]))"
    )
    found = rc.parse_property(text)
    assert found.box[1] == Interval(Fraction(0), Fraction(1), upper_open=True)
    assert found.ball is not None
    assert (found.ball.centre, found.ball.square) == ((Fraction(1, 4), Fraction(1, 2)), Fraction(1, 100))
    assert (found.label, found.rivals, found.strictly) == (1, (2,), {2})


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (TWO_INPUTS + BOX, "no condition on the outputs"),
        (TWO_INPUTS + BOX + "(assert (<= Y_0 3.0))", "no comparison of two"),
        (TWO_INPUTS + BOX + "(assert (<= Y_0 Y_1)) (assert (<= Y_0 Y_2))", "at once"),
        (TWO_INPUTS + BOX + "(assert (or (<= Y_0 Y_1) (<= Y_1 Y_2)))", "several classes"),
        (TWO_INPUTS + BOX + "(assert (or (and (<= Y_0 Y_1) (<= Y_0 Y_2))))", "at once"),
        (TWO_INPUTS + "(assert (or (<= X_0 1) (>= X_0 2)))" + RIVALS, "about inputs"),
        (TWO_INPUTS + "(assert (<= (+ X_0 X_1) 1))" + RIVALS, "binds 2 inputs"),
        (TWO_INPUTS + "(assert (<= (* X_0 X_1) 1))" + RIVALS, "no L2 ball"),
        (TWO_INPUTS + "(assert (<= (* X_0 X_0 X_0) 1))" + RIVALS, "three variables"),
        (TWO_INPUTS + "(assert (<= X_0 Y_0))" + RIVALS, "binds inputs to outputs"),
        (TWO_INPUTS + "(assert (= X_0 1))" + RIVALS, "=="),
        (TWO_INPUTS + "(assert (<= X_7 1))", "before it is declared"),
        (TWO_INPUTS + "(assert (<= X_0 one))", "nor a number"),
        (TWO_INPUTS + "(assert (<= X_0 1e99999999))", "nor a number"),
        (TWO_INPUTS + "(assert X_0)", "must be a comparison"),
        (TWO_INPUTS + "(assert (<= X_0 1)", "never closed"),
        (TWO_INPUTS + ")", "no opening"),
        ("(declare-const X_1 Real)(declare-const Y_0 Real)", "without gaps"),
        ("(declare-fun f () Real)", "not taken"),
        ("(" * 100_000, "deep"),
        ("(vnnlib-version <2.0>)" + "(" * 100_000, "deep"),
        ("", "without gaps"),
        (SECOND + "(assert (<= X[0,0] 1))", "Type mismatch"),
        (SECOND + "(assert (<= Z[0] 1.0))", "no VNN-LIB 2"),
    ],
)
def test_what_is_not_taken_has_a_sentence(text, word):
    with pytest.raises(rc.RelucertError) as caught:
        rc.parse_property(text)
    assert word in str(caught.value)
    assert len(str(caught.value)) < 300


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2),
    st.floats(1e-9, 1e3),
    st.sampled_from([(1, np.inf), (2, np.inf), (2, 2)]),
    st.booleans(),
)
def test_what_is_written_is_read_back_to_the_bit(x, eps, how, cut):
    net, (version, norm) = random_net(0), how
    found = rc.parse_property(
        rc.write_property(net, x, eps, norm, label=1, version=version, bounds=(-2e6, 2e6) if cut else None)
    )
    exact, reach = [Fraction(v) for v in x], Fraction(eps)
    assert (found.label, set(found.rivals)) == (1, {0, 2})
    if norm == 2:
        assert found.ball is not None
        assert (found.ball.centre, found.ball.square) == (tuple(exact), reach**2)
    else:
        assert [(i.lower, i.upper) for i in found.box] == [(v - reach, v + reach) for v in exact]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.fractions(-9, 9), st.fractions(0, 9)), min_size=1, max_size=3))
def test_the_unit_ball_holds_the_box(sides):
    box = tuple(Interval(low, low + length) for low, length in sides)
    middle, half = unit_box(Property(len(box), 2, 0, (1,), frozenset(), box))
    for interval, m, h in zip(box, middle.tolist(), half.tolist(), strict=True):
        assert Fraction(m) - Fraction(h) <= interval.lower
        assert Fraction(m) + Fraction(h) >= interval.upper


@pytest.mark.parametrize("norm", [2, np.inf])
def test_answers_hold_against_a_grid_and_in_rationals(norm):
    """A witness breaks the property in rationals; "unsat" is held against 2,000 points of the region."""
    seen = {}
    rng = np.random.default_rng(5)
    for seed in range(6):
        net = random_net(seed)
        x = rng.normal(size=2)
        for eps in (0.01, 0.3, 1.5):
            stated = rc.parse_property(rc.write_property(net, x, eps, norm))
            found = rc.decide(net, stated, max_seconds=2.0)
            seen[found.answer] = seen.get(found.answer, 0) + 1
            if found.witness is not None:
                point = [Fraction(v) for v in found.witness.tolist()]
                exact = rational_logits(net, torch.from_numpy(found.witness))
                assert point in stated
                assert any(exact[j] >= exact[stated.label] for j in stated.rivals)
            if found.answer == "unsat":
                steps = rng.uniform(-1, 1, size=(2000, 2))
                if norm == 2:
                    steps /= np.maximum(1, np.linalg.norm(steps, axis=1))[:, None]
                assert (net(x + eps * steps).argmax(1) == stated.label).all()
    assert seen.get("sat", 0) >= 4
    assert seen.get("unsat", 0) >= 4
    assert seen.get("unknown", 0) <= 1


def test_a_box_cut_at_the_range_proves_more_than_the_ball():
    net, x = rc.load_model("mnist-20-20-20"), rc.mnist_sample()[0][0]
    ball = rc.certify(net, x, "crown-ada", norm=np.inf).radius
    wider = 1.1 * ball
    cut = rc.decide(net, rc.parse_property(rc.write_property(net, x, wider, np.inf, bounds=(0, 1))), max_seconds=0)
    assert cut.answer == "unsat"


def test_strict_rivals_need_to_win():
    """Two equal classes: they tie everywhere, which breaks >= and does not break >."""
    net = rc.Network([np.eye(2), np.ones((2, 2))], [np.zeros(2), np.zeros(2)])
    text = "".join(f"(declare-const {n} Real)" for n in ("X_0", "X_1", "Y_0", "Y_1"))
    text += "".join(f"(assert (<= X_{i} 1.0))(assert (>= X_{i} 0.5))" for i in (0, 1))
    assert rc.decide(net, rc.parse_property(text + "(assert (>= Y_1 Y_0))"), max_seconds=1).answer == "sat"
    assert rc.decide(net, rc.parse_property(text + "(assert (> Y_1 Y_0))"), max_seconds=1).answer == "unknown"
    empty = "(assert (>= X_0 2.0))(assert (> Y_1 Y_0))"
    assert rc.decide(net, rc.parse_property(text + empty), max_seconds=1).answer == "unsat"


def test_sizes_and_limits_that_do_not_fit():
    net = random_net(1)
    with pytest.raises(rc.InvalidInput, match="has 4 and 2"):
        rc.decide(random_net(0, (4, 3, 2)), rc.parse_property(rc.write_property(net, [0, 0], 0.1, np.inf)))
    with pytest.raises(rc.InvalidInput, match="lower and an upper limit"):
        rc.decide(net, rc.parse_property(TWO_INPUTS + "(assert (<= X_0 1))" + RIVALS))
    with pytest.raises(rc.Unsupported, match="version=2"):
        rc.write_property(net, [0, 0], 0.1, 2, version=1)


def test_the_command_line_writes_and_answers(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = ["--model", "mnist-20-20-20"]
    for eps, word in (("0.001", "unsat"), ("0.2", "sat")):
        assert main(["property", *model, "--data", "mnist-sample", "--eps", eps, "--bounds", "0,1", "--out", "p"]) == 0
        capsys.readouterr()
        assert main(["certify", *model, "--property", "p", "--max-seconds", "5"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == word
        assert len(lines) == (1 if word == "unsat" else 1 + 784 + 10)
    assert lines[1].startswith("((X_0 ")
    assert lines[-1].endswith("))")
    assert main(["certify", *model, "--property", "p", "--data", "mnist-sample"]) == 2
    assert main(["certify", *model]) == 2
    assert main(["certify", *model, "--property", "nosuch"]) == 2


def test_without_the_package_version_2_says_so(tmp_path):
    """A module of that name that cannot be imported stands in for an environment without it."""
    (tmp_path / "vnnlib.py").write_text("raise ImportError\n")
    program = "import relucert_core as rc\ntry:\n    rc.parse_property('(vnnlib-version <2.0>)')\n"
    program += "except rc.Unsupported as error:\n    print(error)\n"
    paths = {"PYTHONPATH": f"{tmp_path}:.", "PATH": "/usr/bin"}
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=paths, check=True)
    assert "relucert[vnnlib]" in out.stdout
