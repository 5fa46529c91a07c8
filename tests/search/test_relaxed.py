"""The semidefinite bound as a part of the exact search."""

import itertools

import numpy as np
import pytest
import torch

import relucert_core as rc
from relucert_core.search.exact.relaxed import Relaxed
from relucert_core.search.half_spaces import propose_weights
from relucert_core.search.ledger import Ledger
from relucert_core.search.local_network import local_network
from relucert_core.search.start import attack_step, first_step, linear_step


def started(seed, seconds=5.0, sizes=(6, 12, 12, 3), **budgets):
    """A ledger after the attack and CROWN-Ada, on a random network of three classes."""
    rng = np.random.default_rng(seed)
    weights = [rng.standard_normal((b, a)) for a, b in itertools.pairwise(sizes)]
    net = rc.Network(weights, [0.5 * rng.standard_normal(b) for b in sizes[1:]])
    point = torch.from_numpy(rng.standard_normal(sizes[0]))
    label = int(net(point).argmax())
    ledger = Ledger(net, point, label, 2.0, **{"max_seconds": seconds, "max_regions": None} | budgets)
    list(itertools.chain([first_step(ledger)], linear_step(ledger), attack_step(ledger, None, "best")))
    return ledger, local_network(net, point, label)


@pytest.mark.parametrize("seed", [1, 2])
def test_it_moves_the_lower_side_most_of_the_way(seed):
    ledger, local = started(seed)
    before = ledger.lower
    steps = list(Relaxed(ledger, local, propose_weights).before_branching())
    assert steps
    assert ledger.lower > before
    assert ledger.lower <= ledger.upper
    assert ledger.lower > 0.9 * ledger.upper
    for one, two in itertools.pairwise(steps):
        assert two.lower >= one.lower
        assert two.upper <= one.upper


def test_a_limit_of_nodes_or_no_time_leaves_it_out():
    ledger, local = started(1, max_regions=10)
    relaxed = Relaxed(ledger, local, propose_weights)
    assert list(relaxed.before_branching()) == []
    assert relaxed.ended
    assert list(relaxed.branching()) == []
    ledger, local = started(1)
    ledger.max_seconds = ledger.seconds
    assert list(Relaxed(ledger, local, propose_weights).before_branching()) == []


def test_with_one_hidden_layer_the_quadratic_bound_comes_first():
    rng = np.random.default_rng(4)
    net = rc.Network(
        [rng.standard_normal((12, 6)), rng.standard_normal((3, 12))], [rng.standard_normal(12), np.zeros(3)]
    )
    point = torch.from_numpy(rng.standard_normal(6))
    ledger = Ledger(net, point, int(net(point).argmax()), 2.0, max_seconds=10.0, max_regions=None)
    list(itertools.chain([first_step(ledger)], linear_step(ledger), attack_step(ledger, None, "best")))
    before = ledger.lower
    step = next(Relaxed(ledger, local_network(net, point, ledger.label), propose_weights).before_branching())
    assert step.lower_by == "quadratic"
    assert before < step.lower <= ledger.upper


def test_branching_is_left_and_taken_up_again():
    """On a network where cuts end at 0.81 of the distance."""
    ledger, local = started(25, seconds=30.0, sizes=(4, 9, 9, 3))
    relaxed = Relaxed(ledger, local, propose_weights)
    list(relaxed.before_branching())
    assert not relaxed.ended
    before = ledger.lower
    assert before < 0.9 * ledger.upper
    list(relaxed.branching(ledger.seconds + 0.01))
    assert not relaxed.ended
    ledger.lower = 0.95 * ledger.upper  # as if something else had proved it
    for step in relaxed.branching():
        assert 0.95 * ledger.upper <= step.lower <= step.upper
    assert relaxed.ended
    assert ledger.lower > before
