"""The registry of certificates and `certify`, the one way in; tests, menus and the command line read it."""

from __future__ import annotations

import dataclasses
import importlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from relucert_core.certificates.result import CertificateBatch, CertificateEntry
from relucert_core.devices import on_cpu
from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.network import Network, as_labels, as_points
from relucert_core.norms import check_norm, norm_name, plain_number

_MODULES = (
    "certificates.simplex",
    "certificates.boundary",
    "certificates.intervals",
    "certificates.linear_bounds",
    "certificates.quadratic.radius",
    "certificates.semidefinite.certificate",
    "certificates.fast_lip",
    "certificates.lipschitz",
    "certificates.local_lipschitz",
    "search.neighbours.walk",
    "search.exact.branch_and_bound",
    "certificates.clever",
)


class _Registry(Mapping[str, CertificateEntry]):
    """Name -> entry, in the order in which pages list the methods; modules are imported on first use."""

    def __init__(self) -> None:
        self._entries: dict[str, CertificateEntry] = {}

    def _load(self) -> dict[str, CertificateEntry]:
        if not self._entries:
            for name in _MODULES:
                module = importlib.import_module(f"relucert_core.{name}")
                for entry in getattr(module, "ENTRIES", None) or (module.ENTRY,):
                    self._entries[entry.name] = entry
        return self._entries

    def __getitem__(self, name: str) -> CertificateEntry:
        return self._load()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._load())

    def __len__(self) -> int:
        return len(self._load())


CERTIFICATES: Mapping[str, CertificateEntry] = _Registry()


def certify(
    net: Network, x: Any, method: str = "simplex", norm: Any = 2, label: Any = None, **options: Any
) -> Any:  # a Certificate for (D,), a CertificateBatch for (B, D): the shape decides, which types cannot say
    """Certify one point (D,) or a batch (B, D) with a method of `CERTIFICATES`.

    norm: 1, 2 or inf. label: the class (or one for each point) against which adversarial is meant; by default the
    predicted one. Returns a `Certificate` for a point and a `CertificateBatch` for a batch; what the radius promises
    stands in their docstrings. Raises InvalidInput for a bad point, label or option and Unsupported, with a sentence
    that says why, for a norm or a depth that the method is not made for.
    """
    entry = _entry(method)
    norm, options = check_norm(norm), {name: plain_number(value) for name, value in options.items()}
    _check_supported(entry, net, norm, options)
    points, single = as_points(net, x)
    labels = as_labels(net, label, len(points))
    start = time.perf_counter()
    with on_cpu(), torch.no_grad():
        items = entry.run(net, points, norm=norm, labels=labels, **options) if len(points) else []
    share = (time.perf_counter() - start) / max(len(points), 1)
    items = [item if item.seconds else dataclasses.replace(item, seconds=share) for item in items]
    return items[0] if single else CertificateBatch(tuple(items))


def supports(entry: CertificateEntry, net: Network, norm: float) -> str:
    """Why `entry` is not made for this network and norm, in one sentence; empty when it is."""
    if norm not in entry.norms:
        names = ", ".join(norm_name(n) for n in entry.norms)
        return f"{entry.title} is not made for the norm {norm_name(norm)}; it takes {names}."
    if entry.max_depth is not None and net.depth > entry.max_depth:
        return entry.refusal or f"{entry.title} takes at most {entry.max_depth} layers; this network has {net.depth}."
    if not entry.any_layers and not net.is_chain:
        able = ", ".join(name for name, other in CERTIFICATES.items() if other.any_layers)
        instead = f"; {able} are made for it" if able else ""
        return (
            f"{entry.title} is made for chains of dense layers in which every hidden output passes a ReLU; this "
            f"network has layers that are sparse or carry outputs on{instead}."
        )
    return ""


def _entry(method: str) -> CertificateEntry:
    if method not in CERTIFICATES:
        raise InvalidInput(f"There is no certificate {method!r}; the methods are {', '.join(CERTIFICATES)}.")
    return CERTIFICATES[method]


def _check_supported(entry: CertificateEntry, net: Network, norm: float, options: Mapping[str, Any]) -> None:
    reason = supports(entry, net, norm)
    if reason:
        raise Unsupported(reason)
    unknown = sorted(set(options) - set(entry.options))
    if unknown:
        known = ", ".join(entry.options) or "none"
        raise InvalidInput(f"{entry.title} has no option {unknown[0]!r}; its options are: {known}.")
