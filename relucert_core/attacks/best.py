"""The best of all attacks: each one runs, and the nearest proved adversarial point in the norm asked is kept.

requires, guarantee: those of the attacks. cost: the sum of theirs.
"""

from __future__ import annotations

from relucert_core.attacks.ddn import run_ddn
from relucert_core.attacks.deepfool import run_deepfool
from relucert_core.attacks.ifgsm import run_ifgsm
from relucert_core.attacks.problem import Found, Problem, nearer


def run_best(problem: Problem, *, steps: int = 100) -> Found:
    """The nearest answer of DeepFool, I-FGSM and DDN (with `steps` gradients), point by point."""
    found = run_deepfool(problem)
    for rival in (run_ifgsm(problem), run_ddn(problem, steps=steps)):
        found = nearer(problem, found, rival)
    return found
