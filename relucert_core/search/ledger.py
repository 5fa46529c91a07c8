"""What a search says while it runs, and the ledger it keeps: both bounds, the witness, the budgets."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from relucert_core.arrays import SignRows, Vector
from relucert_core.certificates.result import OVERFLOW, TIE, TIME, WRONG
from relucert_core.deadline import ends_at, now
from relucert_core.errors import InvalidInput
from relucert_core.forward import rival_logits
from relucert_core.network import Network
from relucert_core.norms import plain_number
from relucert_core.rounding import below, distance_above
from relucert_core.solvers import load_solvers
from relucert_core.witness import WITNESS_SLACK, points_beyond, proved_adversarial

SEARCHING = "searching"
EXACT_STATUS = "exact"
REGIONS = "the limit of regions is reached"
MEMORY = "the memory limit is reached"
NOWHERE = "nothing is adversarial"
NONE_FOUND = "nothing adversarial within a very large radius"
# What makes bounds besides certificates and attacks: rays from the point, the way from a witness to a nearer one,
# branch and bound, the look all around of two inputs, and the walk over neighbouring regions.
RAYS, POLISH, BRANCHING, LOOK_AROUND, WALK = "rays", "polish", "branching", "look around", "neighbours"
CLOSE_ENOUGH = 1 / (1 + 4e-7)  # nodes this close to the upper bound are done: the witness may be 1e-6 away
FAR = 1e9  # times one more than the largest number of the point: searches go no further
_BATCH_SECONDS = 0.06
_BATCH_SHARE = 0.03
_DOUBTFUL = 1e-6  # a lead of this part of the logits is no rounding error
_FARTHEST_PUSH = 1e-4  # beyond a decision plane


@dataclass(frozen=True, eq=False)
class SearchStep:
    """Where a search stands.

    lower, upper: the exact radius lies in [lower, upper], both proved, at every step; lower never falls and upper
    never rises. regions: activation regions (`neighbours`) or nodes (`exact`) worked through. queue: those that wait.
    seconds: since the start. status: "searching", or at the last step why it ended: "exact" or what stopped it.
    witness: (D,), proved adversarial at the distance `upper`, or None. patterns: (S, N) bool, the activation patterns
    worked through since the last step (`neighbours` only, else empty). lower_by, upper_by: the method that made either
    bound: a certificate's or attack's name, or RAYS, POLISH, BRANCHING, LOOK_AROUND or WALK; empty where there is none.
    """

    lower: float
    upper: float
    regions: int
    queue: int
    seconds: float
    status: str
    witness: Vector | None
    patterns: SignRows = field(default_factory=lambda: np.zeros((0, 0), dtype=bool))
    lower_by: str = ""
    upper_by: str = ""

    @property
    def exact(self) -> bool:
        """Does the witness prove the radius, up to the factor 1 + 1e-6?"""
        return self.witness is not None and self.upper <= below(self.lower * (1 + WITNESS_SLACK))


def check_budgets(**budgets: float | None) -> None:
    """InvalidInput unless each budget is a number of at least 0, or None."""
    for name, given in budgets.items():
        value = plain_number(given)
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0):
            raise InvalidInput(f"{name} must be a number of at least 0, or None for no limit; {given!r} came.")


class Ledger:
    """The state that one search writes to. `lower` may only be raised with a proof; `offer` proves by itself.

    maker: the method at work, set by whoever begins one; the bounds that it improves carry its name.
    """

    def __init__(
        self,
        net: Network,
        point: torch.Tensor,
        label: int,
        norm: float,
        *,
        max_seconds: float | None,
        max_regions: int | None,
    ) -> None:
        check_budgets(max_seconds=max_seconds, max_regions=max_regions)
        self.net, self.point, self.label, self.norm = net, point, label, norm
        self.lower, self.upper = 0.0, math.inf
        self.witness: np.ndarray | None = None
        self.maker, self.lower_by, self.upper_by = "", "", ""
        self.regions, self.queue = 0, 0
        self.max_seconds = math.inf if max_seconds is None else float(max_seconds)
        self.max_regions = math.inf if max_regions is None else float(max_regions)
        load_solvers()
        self.begun = now()

    @property
    def seconds(self) -> float:
        """The time since the start."""
        return now() - self.begun

    @property
    def labels(self) -> torch.Tensor:
        """The label as a batch (1,)."""
        return torch.tensor([self.label])

    def in_time(self) -> AbstractContextManager[None]:
        """A context in which long steps end when the time allowed does; see `relucert_core.deadline`."""
        return ends_at(self.begun + self.max_seconds)

    def raise_lower(self, bound: float) -> None:
        """Take a proved lower bound; never above the upper bound, which is proved as well."""
        if bound > self.lower:
            self.lower, self.lower_by = min(bound, self.upper), self.maker

    def offer(self, candidates: torch.Tensor) -> bool:
        """Keep the nearest of the points (S, D) that are proved adversarial, if it is nearer than the witness."""
        candidates = candidates[torch.isfinite(candidates).all(-1)]
        if not len(candidates):
            return False
        distances = distance_above(candidates, self.point, self.norm)
        worth = (distances < self.upper) & self._hopeful(candidates)
        candidates, distances = candidates[worth], distances[worth]
        if not len(candidates):
            return False
        good = proved_adversarial(self.net, candidates, self.labels.expand(len(candidates)), rational=True)
        if not bool(good.any()):
            return False
        best = int(torch.where(good, distances, math.inf).argmin())
        self.upper, self.witness = float(distances[best]), candidates[best].numpy().copy()
        self.upper_by = self.maker
        return True

    def _hopeful(self, candidates: torch.Tensor) -> torch.Tensor:
        """(S,) bool: all but the points whose logits leave no doubt; a proof costs fifty times as much as a look."""
        logits = self.net.logits(candidates)
        lead = logits[:, self.label] - rival_logits(logits, self.label).amax(-1)
        return ~(lead > _DOUBTFUL * logits.abs().amax(-1))  # NaN is no reason to leave a point out

    def offer_array(self, candidate: np.ndarray | None) -> bool:
        """`offer` for one point (D,), or for none."""
        return candidate is not None and self.offer(torch.from_numpy(candidate).unsqueeze(0))

    def offer_beyond(self, near: np.ndarray) -> bool:
        """`offer` for a point (D,) close to a decision plane, and for points a little further out on its ray."""
        return self.offer(points_beyond(self.point, torch.from_numpy(near), _FARTHEST_PUSH))

    def stopped(self, seconds: float = 0.0, regions: int = 1) -> str:
        """The limit that forbids another step of that many seconds and regions; empty when there is none."""
        if self.seconds + seconds > self.max_seconds:
            return TIME
        return REGIONS if self.regions + regions > self.max_regions else ""

    def step(self, status: str = SEARCHING, patterns: np.ndarray | None = None) -> SearchStep:
        """The state as a record."""
        extra = {} if patterns is None else {"patterns": patterns}
        here = SearchStep(
            self.lower, self.upper, self.regions, self.queue, self.seconds, status, self.witness,
            lower_by=self.lower_by, upper_by=self.upper_by, **extra,
        )  # fmt: skip
        ended = status not in (SEARCHING, TIE, WRONG, OVERFLOW)
        return replace(here, status=EXACT_STATUS) if ended and here.exact else here


class Pace:
    """How much to do at once: batches of about `_BATCH_SECONDS`, less where the time allowed is short."""

    def __init__(self, each: float, widest: int, max_seconds: float) -> None:
        """`each`: a guess of the seconds one item takes; `widest`: the most items at once."""
        self.each, self.widest = each, widest
        self.aim = min(_BATCH_SECONDS, _BATCH_SHARE * max_seconds)
        self.width = max(1, min(widest, int(self.aim / each)))

    def done(self, count: int, seconds: float) -> None:
        """Learn from a batch of `count` items."""
        self.each = 0.7 * self.each + 0.3 * seconds / count
        if seconds > self.aim:
            self.width = max(1, self.width // 2)
        elif seconds < self.aim / 2:
            self.width = min(self.widest, 2 * self.width)

    def expected(self, count: float) -> float:
        """The seconds that `count` items may take."""
        return self.each * count
