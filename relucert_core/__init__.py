"""Relucert: see, measure and tighten the robustness certificates of ReLU networks.

The names below are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the same names for type checkers; a test compares the two lists
    from relucert_core.arrays import Matrix as Matrix
    from relucert_core.arrays import Vector as Vector
    from relucert_core.attacks import ATTACKS as ATTACKS
    from relucert_core.attacks import Attack as Attack
    from relucert_core.attacks import AttackBatch as AttackBatch
    from relucert_core.attacks import attack as attack
    from relucert_core.certificates.result import Certificate as Certificate
    from relucert_core.certificates.result import CertificateBatch as CertificateBatch
    from relucert_core.certificates.result import Limit as Limit
    from relucert_core.certificates.within_region import RegionDistance as RegionDistance
    from relucert_core.certificates.within_region import region_distance as region_distance
    from relucert_core.datasets.mnist import download_mnist as download_mnist
    from relucert_core.datasets.mnist import load_mnist as load_mnist
    from relucert_core.datasets.mnist import mnist_sample as mnist_sample
    from relucert_core.distances import simplex_distances as simplex_distances
    from relucert_core.errors import DataUnavailable as DataUnavailable
    from relucert_core.errors import InvalidInput as InvalidInput
    from relucert_core.errors import RelucertError as RelucertError
    from relucert_core.errors import Unsupported as Unsupported
    from relucert_core.experiments.best_known import BestKnown as BestKnown
    from relucert_core.importers.registry import read_network as read_network
    from relucert_core.importers.safetensors_file import load_network as load_network
    from relucert_core.importers.safetensors_file import save_network as save_network
    from relucert_core.importers.shipped import list_models as list_models
    from relucert_core.importers.shipped import load_model as load_model
    from relucert_core.jobs.records import best_known as best_known
    from relucert_core.layers import Layer as Layer
    from relucert_core.network import Network as Network
    from relucert_core.planar import PlanarComplex as PlanarComplex
    from relucert_core.planar import planar_complex as planar_complex
    from relucert_core.planar import planar_distance as planar_distance
    from relucert_core.planar import slice_network as slice_network
    from relucert_core.properties.decide import decide as decide
    from relucert_core.properties.reader import parse_property as parse_property
    from relucert_core.properties.reader import read_property as read_property
    from relucert_core.properties.records import Property as Property
    from relucert_core.properties.writer import write_property as write_property
    from relucert_core.region import ActivationRegion as ActivationRegion
    from relucert_core.region import activation_region as activation_region
    from relucert_core.registry import CERTIFICATES as CERTIFICATES
    from relucert_core.registry import certify as certify
    from relucert_core.search.ledger import SearchStep as SearchStep
    from relucert_core.search.verify import Verdict as Verdict
    from relucert_core.search.verify import verify as verify

from relucert_core.search import search as search  # a function: later imports of the package's modules leave it

_HOMES = {
    "arrays": ("Matrix", "Vector"),
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
    "attacks": ("ATTACKS", "Attack", "AttackBatch", "attack"),
    "certificates.within_region": ("RegionDistance", "region_distance"),
    "search.ledger": ("SearchStep",),
    "search.verify": ("Verdict", "verify"),
    "properties.reader": ("read_property", "parse_property"),
    "properties.records": ("Property",),
    "properties.decide": ("decide",),
    "properties.writer": ("write_property",),
    "planar": ("PlanarComplex", "planar_complex", "planar_distance", "slice_network"),
    "experiments.best_known": ("BestKnown",),
    "jobs.records": ("best_known",),
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
