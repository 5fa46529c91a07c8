"""The beginning of a live search: the arguments are checked at once, the work is done as steps are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from relucert_core.devices import each_on_cpu
from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.network import Network, as_labels, as_points
from relucert_core.norms import check_norm
from relucert_core.search.exact.branch_and_bound import explore
from relucert_core.search.ledger import SearchStep, check_budgets
from relucert_core.search.neighbours.walk import walk
from relucert_core.search.semidefinite import two_sides
from relucert_core.words import norm_name

_METHODS = ("exact", "semidefinite", "neighbours")
_EUCLIDEAN = ("exact", "semidefinite")


def begin_search(
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
    """See `relucert_core.search.search`."""
    order = check_norm(norm)
    points, single = as_points(net, x)
    if not single:
        raise InvalidInput(f"search takes one point ({net.inputs},); a batch of {len(points)} came.")
    if method not in _METHODS:
        raise Unsupported(f"There is no search {method!r}: use one of {', '.join(_METHODS)}.")
    if method in _EUCLIDEAN and order != 2:
        raise Unsupported(f"The {method} search is made for norm 2; {norm_name(order)} came: use method='neighbours'.")
    check_budgets(max_seconds=max_seconds, max_regions=max_regions, max_queue=max_queue)
    given = as_labels(net, label, 1)
    chosen = int(net.logits(points).argmax()) if given is None else int(given[0])
    budgets = {"max_seconds": max_seconds, "max_regions": max_regions, "max_queue": max_queue}
    if method == "exact":
        return each_on_cpu(explore(net, points[0], chosen, starts=starts, **budgets))  # type: ignore[arg-type]
    if method == "semidefinite":  # has no queue
        limits = {"max_seconds": max_seconds, "max_iterations": max_regions}
        return each_on_cpu(two_sides(net, points[0], chosen, starts=starts, **limits))  # type: ignore[arg-type]
    return each_on_cpu(walk(net, points[0], chosen, norm=order, starts=starts, **budgets))  # type: ignore[arg-type]
