"""The best of all attacks: each one runs, then many descents, and the nearest proved point in the norm asked is kept.

requires, guarantee: those of the attacks. cost: the sum of theirs.
"""

from __future__ import annotations

from relucert_core.attacks.ddn import run_ddn
from relucert_core.attacks.deepfool import run_deepfool
from relucert_core.attacks.descents import run_descents
from relucert_core.attacks.ifgsm import run_ifgsm
from relucert_core.attacks.problem import Found, Problem, nearer


def run_best(problem: Problem, *, steps: int = 100, descents: int | None = None) -> Found:
    """The nearest answer of DeepFool, I-FGSM, DDN (with `steps` gradients) and many descents, point by point.

    descents: how many, of a third of the `steps` each; by default as many as suit the network's size.
    """
    found = run_deepfool(problem)
    for rival in (run_ifgsm(problem), run_ddn(problem, steps=steps)):
        found = nearer(problem, found, rival)
    return nearer(problem, found, run_descents(problem, found, steps=max(1, steps // 3), descents=descents))
