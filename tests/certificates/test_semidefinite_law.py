"""The law on random networks, in short; `python -m tests.hunt_semidefinite` is the long form."""

from tests.hunt_semidefinite import FAULTS, KINDS, hunt


def test_no_radius_is_above_the_exact_distance():
    counts, violations = hunt(len(KINDS), seed=11)
    assert violations == []
    assert counts["decided"] >= 3


def test_no_proof_is_above_it_whatever_the_multipliers():
    counts, violations = hunt(4 * len(KINDS), seed=12, methods=())
    assert violations == []
    assert counts["proofs above 0, none"] >= 3
    assert all(counts[f"proofs, {name}"] == counts["proofs, none"] for name in FAULTS)
