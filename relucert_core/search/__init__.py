"""Anytime searches that grow the certified ball: `neighbours` over activation regions, `exact` by branch and bound."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from relucert_core.devices import each_on_cpu
from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.network import Network, as_labels, as_points
from relucert_core.norms import check_norm, norm_name
from relucert_core.search.ledger import SearchStep, check_budgets

__all__ = ["SearchStep", "search"]
_METHODS = ("exact", "neighbours")


def search(
    net: Network,
    x: Any,
    norm: Any = 2,
    method: str = "exact",
    *,
    label: int | None = None,
    starts: Any = None,
    max_seconds: float | None = None,
    max_regions: int | None = None,
    max_queue: int | None = None,
) -> Iterator[SearchStep]:
    """Search live: yields a SearchStep again and again, the first after a moment, the last with the reason of the end.

    requires: x, one point (D,); method "exact" (norm 2) or "neighbours" (norms 1, 2, inf); label: the class to defend,
    by default the predicted one; starts: (S, D), points of other classes for the attack; max_seconds, max_regions:
    budgets, kept within 10 %; max_queue: how many nodes or regions may wait in memory.
    guarantee: at every step the exact radius lies in [lower, upper]; lower never falls, upper never rises. The search
    runs only while a step is asked for; close() on the iterator ends it at any time.
    Raises InvalidInput for a bad point, label or budget, Unsupported for an unknown method or norm, at once.
    """
    order = check_norm(norm)
    net.need_chain("The search")
    points, single = as_points(net, x)
    if not single:
        raise InvalidInput(f"search takes one point ({net.inputs},); a batch of {len(points)} came.")
    if method not in _METHODS:
        raise Unsupported(f"There is no search {method!r}: use one of {', '.join(_METHODS)}.")
    if method == "exact" and order != 2:
        raise Unsupported(f"The exact search is made for norm 2; {norm_name(order)} came: use method='neighbours'.")
    check_budgets(max_seconds=max_seconds, max_regions=max_regions, max_queue=max_queue)
    given = as_labels(net, label, 1)
    chosen = int(net.logits(points).argmax()) if given is None else int(given[0])
    budgets = {"max_seconds": max_seconds, "max_regions": max_regions, "max_queue": max_queue}
    if method == "exact":
        from relucert_core.search.exact.branch_and_bound import explore

        return each_on_cpu(explore(net, points[0], chosen, starts=starts, **budgets))  # type: ignore[arg-type]
    from relucert_core.search.neighbours.walk import walk

    return each_on_cpu(walk(net, points[0], chosen, norm=order, starts=starts, **budgets))  # type: ignore[arg-type]


class _Callable(ModuleType):
    """Importing any module of this package puts the package itself at `relucert_core.search`, where the function of
    the same name is promised: so the package can be called.
    """

    def __call__(self, *args: Any, **options: Any) -> Iterator[SearchStep]:
        return search(*args, **options)


sys.modules[__name__].__class__ = _Callable
