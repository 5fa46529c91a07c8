"""Prepared runs of the playground: the same network trained plainly, adversarially and with the simplex regulariser."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from relucert_core.datasets.toy import toy_dataset
from relucert_core.errors import InvalidInput
from relucert_core.training.toy import ToySettings

_TEST_SEED_OFFSET = 1_000_003  # test points are drawn from a seed that no training set here uses


@dataclass(frozen=True)
class ToyPreset:
    """A toy set and the settings of a run on it; `noise` None is the set's usual one."""

    name: str
    title: str
    dataset: str
    settings: ToySettings
    size: int = 500
    noise: float | None = None
    classes: int | None = None
    data_seed: int = 0

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """The training points (size, 2) and labels (size,)."""
        return toy_dataset(self.dataset)(self.size, self.noise, self.data_seed, self.classes)

    def test_points(self, size: int = 500) -> tuple[np.ndarray, np.ndarray]:
        """Fresh points of the same kind, never trained on."""
        return toy_dataset(self.dataset)(size, self.noise, self.data_seed + _TEST_SEED_OFFSET, self.classes)


def _family(dataset: str, simplex: ToySettings) -> tuple[ToyPreset, ...]:
    """Plain, adversarial and regularised runs that differ in nothing but the method."""
    runs = (
        ("plain", "plain", replace(simplex, method="plain")),
        ("adversarial", "adversarial training", replace(simplex, method="adversarial")),
        ("simplex", "simplex regulariser", simplex),
    )
    title = toy_dataset(dataset).title
    return tuple(ToyPreset(f"{dataset}-{key}", f"{title}, {words}", dataset, settings) for key, words, settings in runs)


TOY_PRESETS: dict[str, ToyPreset] = {
    preset.name: preset
    for family in (
        _family("moons", ToySettings(method="simplex", face_margin=0.15, decision_margin=0.3, faces=4)),
        _family("xor", ToySettings(method="simplex", rate=0.02, face_margin=0.2, decision_margin=0.3, faces=3)),
        _family("blobs", ToySettings(method="simplex", face_margin=0.2, decision_margin=0.3, faces=4)),
    )
    for preset in family
}


def toy_preset(name: str) -> ToyPreset:
    """The preset `name`; InvalidInput names those that exist."""
    if name not in TOY_PRESETS:
        raise InvalidInput(f"There is no preset {name!r}: use one of {', '.join(TOY_PRESETS)}.")
    return TOY_PRESETS[name]
