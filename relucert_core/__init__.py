"""Relucert: see, measure and tighten the robustness certificates of ReLU networks.

The names below are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

from relucert_core.search import search as search  # a function: later imports of the package's modules leave it

_HOMES = {
    "errors": ("RelucertError", "InvalidInput", "Unsupported", "DataUnavailable"),
    "layers": ("Layer",),
    "network": ("Network",),
    "importers.safetensors_file": ("load_network", "save_network"),
    "importers.registry": ("read_network",),
    "importers.shipped": ("load_model", "list_models"),
    "region": ("ActivationRegion", "activation_region"),
    "distances": ("simplex_distances",),
    "certificates.result": ("Certificate", "CertificateBatch", "Limit"),
    "registry": ("CERTIFICATES", "certify"),
    "attacks": ("ATTACKS", "Attack", "attack"),
    "certificates.within_region": ("RegionDistance", "region_distance"),
    "search.verify": ("Verdict", "verify"),
    "planar": ("PlanarComplex", "planar_complex", "planar_distance", "slice_network"),
    "datasets.mnist": ("mnist_sample", "load_mnist", "download_mnist"),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}
__all__ = sorted([*_MODULE_OF, "search"])
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"relucert_core has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
