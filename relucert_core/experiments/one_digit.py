"""One method's answer at one point within the time there is, as a page asks for it; each a call for a worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from relucert_core.arrays import Vector
from relucert_core.deadline import seconds_left
from relucert_core.network import Network

if TYPE_CHECKING:
    from relucert_core.attacks.result import Attack
    from relucert_core.certificates.result import Certificate
    from relucert_core.search.ledger import SearchStep


def certificate_in_time(net: Network, point: Vector, method: str, norm: float, anytime: float) -> Certificate:
    """A certificate at a point (D,); a method that improves as long as it runs gets `anytime` seconds at most."""
    from relucert_core.registry import CERTIFICATES, certify

    timed = "max_seconds" in CERTIFICATES[method].options
    options: dict[str, Any] = {"max_seconds": max(0.0, min(anytime, seconds_left()))} if timed else {}
    found: Any = certify(net, point, method=method, norm=norm, **options)
    certificate: Certificate = found
    return certificate


def attack_in_time(net: Network, point: Vector, method: str, norm: float, bounds: tuple[float, float] | None) -> Attack:
    """An attack on a digit (784,); where its steps find nothing it may start from the shipped images."""
    from relucert_core.attacks import attack
    from relucert_core.datasets.mnist import mnist_sample

    found: Any = attack(net, point, method=method, norm=norm, bounds=bounds, starts=mnist_sample()[0])
    answer: Attack = found
    return answer


def both_sides(net: Network, point: Vector, label: int, lower: float, upper: float) -> Iterator[SearchStep]:
    """The semidefinite search from a proved radius and a known distance, as long as the deadline allows."""
    from relucert_core.network import as_points
    from relucert_core.search.semidefinite import sharpened

    place = as_points(net, point)[0][0]
    yield from sharpened(net, place, label, lower=lower, upper=upper, max_seconds=seconds_left())
