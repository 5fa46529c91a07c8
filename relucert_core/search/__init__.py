"""Anytime searches that grow the certified ball: `neighbours` over activation regions, `exact` by branch and bound.

Nothing heavy is imported before a search begins: the package's front door takes `search` from here at once, as a
function and a package of one name share one place there, and the one that comes last keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relucert_core.arrays import Norm, Numbers
    from relucert_core.network import Network
    from relucert_core.search.ledger import SearchStep

__all__ = ["search"]


def search(
    net: Network,
    x: Numbers,
    norm: Norm = 2,
    method: str = "exact",
    *,
    label: int | None = None,
    starts: Numbers | None = None,
    max_seconds: float | None = None,
    max_regions: int | None = None,
    max_queue: int | None = None,
) -> Iterator[SearchStep]:
    """Search live: yields a SearchStep again and again, the first after a moment, the last with the reason of the end.

    requires: x, one point (D,); method "exact", "semidefinite" (norm 2) or "neighbours" (norms 1, 2, inf); label: the
    class to defend, by default the predicted one; starts: (S, D), points of other classes for the attack; max_seconds,
    max_regions: budgets, kept within 10 % and 0.1 s once a first call has prepared the network (`semidefinite` counts
    its solver's iterations as regions); max_queue: how many nodes or regions may wait in memory.
    guarantee: at every step the exact radius lies in [lower, upper]; lower never falls, upper never rises; lower_by and
    upper_by name the method that made either. The search runs only while a step is asked for; close() on the iterator
    ends it at any time.
    Raises InvalidInput for a bad point, label or budget, Unsupported for an unknown method or norm, at once.
    """
    from relucert_core.search.live import begin_search

    return begin_search(
        net,
        x,
        norm,
        method,
        label=label,
        starts=starts,
        max_seconds=max_seconds,
        max_regions=max_regions,
        max_queue=max_queue,
    )
