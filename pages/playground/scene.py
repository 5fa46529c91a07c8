"""What the playground shows in one run of its script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pages.playground.setup import Setup, View

if TYPE_CHECKING:
    from relucert_core.figures.theme import Theme
    from relucert_core.network import Network
    from relucert_core.planar import PlanarComplex


@dataclass(frozen=True)
class Scene:
    """Network, its moment in the training, its plane, data, view and look; `chart` names the figure's container."""

    net: Network
    epoch: int | None
    plane: PlanarComplex
    setup: Setup
    view: View
    look: tuple[str, bool]
    theme: Theme
    chart: str
