"""How many nodes a ball will need, foreseen from the smaller balls that were searched before it.

The number of nodes grows about exponentially with the radius: over a stage of the search the logarithm of the nodes
rises by much the same amount for the same step of the radius (seen on trained networks: 10 to 14 for a step as long as
the distance itself). A line through the last two stages is a guess, and only decides what is done first.
"""

from __future__ import annotations

import math


class Growth:
    """The stages that were searched to their end: their radii and nodes."""

    def __init__(self) -> None:
        self._stages: list[tuple[float, int]] = []

    def record(self, radius: float, nodes: int) -> None:
        """Take a stage that needed so many nodes for a ball of `radius`; radii that do not grow are left out."""
        if not self._stages or radius > self._stages[-1][0]:
            self._stages.append((radius, max(1, nodes)))

    def nodes(self, radius: float) -> float:
        """The nodes that a ball of `radius` will need, no fewer than the last one did; 0 as long as nothing is known.

        inf where the guess is beyond all numbers.
        """
        if len(self._stages) < 2:
            return 0.0
        (r1, n1), (r2, n2) = self._stages[-2:]
        growth = max(0.0, math.log(n2 / n1)) / (r2 - r1)
        exponent = growth * max(0.0, radius - r2)
        return n2 * math.exp(exponent) if exponent < 700 else math.inf
