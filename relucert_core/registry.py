"""The registry of certificates and `certify`, the one way in; tests, menus and the command line read it."""

from __future__ import annotations

import dataclasses
import importlib
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, overload

import torch

from relucert_core.arrays import Labels, ManyPoints, Norm, OfAnyRank, OnePoint, TorchPoints
from relucert_core.certificates.result import Certificate, CertificateBatch, CertificateEntry
from relucert_core.devices import on_cpu
from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.network import Network, as_labels, as_points
from relucert_core.norms import check_norm, plain_number
from relucert_core.words import norm_name

_FOLDERS = ("certificates", "search")
_DEFINES = re.compile(r"^ENTR(?:Y|IES)\b", re.MULTILINE)


def entry_modules() -> list[str]:
    """The modules that define ENTRY or ENTRIES, by their text: a certificate is one file, and no other is imported."""
    found = []
    for folder in _FOLDERS:
        package = importlib.import_module(f"relucert_core.{folder}")
        for root in map(Path, package.__path__):
            for path in sorted(root.rglob("*.py")):
                if _DEFINES.search(path.read_text(encoding="utf8")):
                    found.append(".".join((package.__name__, *path.relative_to(root).with_suffix("").parts)))
    return found


class _Registry(Mapping[str, CertificateEntry]):
    """Name -> entry, in the order in which pages list the methods; modules are imported on first use."""

    def __init__(self) -> None:
        self._entries: dict[str, CertificateEntry] = {}

    def _load(self) -> dict[str, CertificateEntry]:
        if not self._entries:
            modules = [importlib.import_module(name) for name in entry_modules()]
            entries = [entry for module in modules for entry in getattr(module, "ENTRIES", None) or (module.ENTRY,)]
            self._entries = {entry.name: entry for entry in sorted(entries, key=lambda e: (e.place, e.name))}
        return self._entries

    def __getitem__(self, name: str) -> CertificateEntry:
        return self._load()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._load())

    def __len__(self) -> int:
        return len(self._load())


CERTIFICATES: Mapping[str, CertificateEntry] = _Registry()


@overload
def certify(
    net: Network, x: OfAnyRank, method: str = ..., norm: Norm = ..., label: Labels = ..., **options: object
) -> Certificate | CertificateBatch: ...
@overload
def certify(
    net: Network, x: OnePoint, method: str = ..., norm: Norm = ..., label: Labels = ..., **options: object
) -> Certificate: ...
@overload
def certify(
    net: Network, x: ManyPoints, method: str = ..., norm: Norm = ..., label: Labels = ..., **options: object
) -> CertificateBatch: ...
@overload
def certify(
    net: Network, x: TorchPoints, method: str = ..., norm: Norm = ..., label: Labels = ..., **options: object
) -> Certificate | CertificateBatch: ...
def certify(
    net: Network, x: Any, method: str = "simplex", norm: Norm = 2, label: Labels = None, **options: object
) -> Certificate | CertificateBatch:
    """Certify one point (D,) or a batch (B, D) with a method of `CERTIFICATES`.

    norm: 1, 2 or inf. label: the class (or one for each point) against which adversarial is meant; by default the
    predicted one. Returns a `Certificate` for a point and a `CertificateBatch` for a batch; what the radius promises
    stands in their docstrings. Raises InvalidInput for a bad point, label or option and Unsupported, with a sentence
    that says why, for a norm or a depth that the method is not made for.
    """
    entry = _entry(method)
    order, options = check_norm(norm), {name: plain_number(value) for name, value in options.items()}
    _check_supported(entry, net, order, options)
    points, single = as_points(net, x)
    labels = as_labels(net, label, len(points))
    start = time.perf_counter()
    with on_cpu(), torch.no_grad():
        items = entry.run(net, points, norm=order, labels=labels, **options) if len(points) else []
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
