"""The numbers that a setting accepts, said once: the engine checks by it, controls and links of the app offer it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Range:
    """All numbers from `least` to `most`, both included; whole ones only when `whole`."""

    least: float
    most: float
    whole: bool = False

    def __contains__(self, value: object) -> bool:
        """Is `value` such a number? NaN, infinity, booleans and text are not."""
        kinds = int | np.integer if self.whole else int | float | np.integer | np.floating
        return isinstance(value, kinds) and not isinstance(value, bool) and bool(self.least <= value <= self.most)

    def nearest(self, value: float) -> float:
        """The accepted number next to `value`; `least` for NaN."""
        if math.isnan(value):
            return self.least
        kept = min(max(value, self.least), self.most)
        return int(kept) if self.whole else float(kept)

    def __str__(self) -> str:
        """ "10 to 2,000", for a sentence."""
        return f"{_number(self.least)} to {_number(self.most)}"


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
