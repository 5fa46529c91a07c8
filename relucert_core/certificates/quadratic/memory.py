"""What was found over another ball around the same point, as a start: the slopes of lines, and the worst moments.

The trial radii of a search lie near each other, and so do the best slopes and moments; begun from those of the ball
before, they need a fraction of the steps. They are kept by neuron, since each ball leaves other neurons open; what is
not known is NaN, and begun as if nothing were known. Proposals all of them: nothing here is proved or needs to be.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from relucert_core.certificates.over_balls.linear_pass import Pass
from relucert_core.certificates.quadratic.first_layer import FirstLayer
from relucert_core.certificates.quadratic.moments import Moments

_ONE = torch.zeros(1, dtype=torch.int64)  # the column of what is one number a row


@dataclass(frozen=True, eq=False)
class Start:
    """Where R functionals begin: slopes (R, n) of each relaxed layer after the first, and moments; NaN: not known."""

    slopes: tuple[torch.Tensor, ...]
    moments: Moments


@dataclass(frozen=True, eq=False)
class _Found:
    """A start, with its functionals' numbers (R,), ascending, the neurons of its columns, and its radius."""

    rows: torch.Tensor
    kept: tuple[torch.Tensor, ...]
    radius: float
    start: Start


class Memory:
    """The last start for each place: a hidden layer's pre-activations, or the margins."""

    def __init__(self) -> None:
        self._found: dict[int, _Found] = {}

    def recall(self, place: int, rows: torch.Tensor, state: Pass, first: FirstLayer) -> Start | None:
        """The start for the functionals `rows` (R,) of a place, None where there was none yet."""
        old = self._found.get(place)
        if old is None:
            return None
        kept = [layer.kept for layer in state.layers]
        slopes = [
            _placed(part, old.rows, columns, rows, new)
            for part, columns, new in zip(old.start.slopes, old.kept[1:], kept[1:], strict=True)
        ]

        def moved(part: torch.Tensor) -> torch.Tensor:
            return _placed(part, old.rows, old.kept[0], rows, kept[0])

        found, scale = old.start.moments, first.radius / old.radius
        multiplier = _placed(found.multiplier.unsqueeze(-1), old.rows, _ONE, rows, _ONE).squeeze(-1)
        spreads = torch.stack([moved(part) * scale for part in found.spreads])
        return Start(tuple(slopes), Moments(moved(found.slopes), multiplier, moved(found.means) * scale, spreads))

    def keep(self, place: int, rows: torch.Tensor, state: Pass, first: FirstLayer, start: Start) -> None:
        """Remember what was found for the functionals `rows` (R,), ascending."""
        self._found[place] = _Found(rows, tuple(layer.kept for layer in state.layers), first.radius, start)


def _placed(
    values: torch.Tensor, old_rows: torch.Tensor, old_columns: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor
) -> torch.Tensor:
    """(R, n): `values`, which stand at `old_rows` x `old_columns`, moved to `rows` x `columns`; NaN elsewhere."""
    found = values.new_full((len(rows), len(columns)), torch.nan)
    (r, at_r), (c, at_c) = _matched(old_rows, rows), _matched(old_columns, columns)
    found[r[:, None], c] = values[at_r[:, None], at_c]
    return found


def _matched(old: torch.Tensor, new: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Where in `new` the numbers stand that are in `old` too, and where in `old`; both ascending."""
    if not len(old):
        return old, old
    at = torch.searchsorted(old, new).clamp(max=len(old) - 1)
    there = (old[at] == new).nonzero().squeeze(1)
    return there, at[there]
