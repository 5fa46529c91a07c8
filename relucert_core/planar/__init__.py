"""The exact geometry of networks with two inputs: regions, class cells, decision boundary, distances, slices."""

from relucert_core.planar.complex import Patterns, PlanarComplex, planar_complex
from relucert_core.planar.distance import PlanarDistance, planar_distance
from relucert_core.planar.slices import slice_network
from relucert_core.planar.subdivide import OverBudget

__all__ = [
    "OverBudget",
    "Patterns",
    "PlanarComplex",
    "PlanarDistance",
    "planar_complex",
    "planar_distance",
    "slice_network",
]
