"""The networks that ship in assets/networks: a float32 safetensors file and a card (JSON) each."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from relucert_core.errors import DataUnavailable, InvalidInput, shown
from relucert_core.files import write_whole
from relucert_core.importers.safetensors_file import load_network, network_bytes
from relucert_core.network import Network
from relucert_core.paths import NETWORKS

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


@dataclass(frozen=True)
class ModelCard:
    """What is known of a shipped network.

    `architecture` (D, N_1, ..., K); `classes`: their names in the order of the logits; `recipe`: the settings that
    made it; `data`; `test_accuracy` (share of the test images of its classes); `seed`; `versions`; `licence`;
    `sha256` of the safetensors file; `title`: one line for menus; `measured`: further figures, by name.
    `input_range`: (lowest, highest) value of an input in the data that it was trained on.
    """

    name: str
    title: str
    architecture: tuple[int, ...]
    classes: tuple[str, ...]
    recipe: dict[str, Json]
    data: str
    test_accuracy: float
    seed: int
    versions: dict[str, str]
    licence: str
    sha256: str = ""
    measured: dict[str, float] = field(default_factory=dict)
    input_range: tuple[float, float] = (0.0, 1.0)

    @property
    def labels(self) -> tuple[int | None, ...]:
        """The class of each of the ten digits, None where the digit was left out."""
        stated = self.recipe.get("labels")
        known = stated if isinstance(stated, (list, tuple)) else range(10)
        return tuple(label if isinstance(label, int) else None for label in known)


def list_models() -> list[ModelCard]:
    """The cards of the shipped networks, in the order of their names."""
    return [_read_card(path) for path in sorted(NETWORKS.glob("*.json"))]


@lru_cache(maxsize=16)
def load_model(name: str) -> Network:
    """The shipped network `name`, one of `list_models()`; networks are immutable, so the same object comes again.

    Raises InvalidInput for any other name (paths are for `load_network`), DataUnavailable when its file is not the
    one that its card describes.
    """
    names = [path.stem for path in sorted(NETWORKS.glob("*.json"))]
    if name not in names:
        raise InvalidInput(f"There is no shipped network {shown(name)}: there are {', '.join(names) or 'none'}.")
    path = NETWORKS / f"{name}.safetensors"
    data = path.read_bytes() if path.is_file() else b""
    card = load_card(name)
    if hashlib.sha256(data).hexdigest() != card.sha256:
        raise DataUnavailable(
            f"The file of the shipped network {name!r} is missing or changed: check out or install the project anew."
        )
    return load_network(data, activation="relu", name=name).with_input_range(*card.input_range)


def load_card(name: str) -> ModelCard:
    """The card of the shipped network `name`."""
    path = NETWORKS / f"{name}.json"
    if path not in NETWORKS.glob("*.json"):
        raise InvalidInput(f"There is no shipped network {shown(name)}; `python -m relucert_core models` lists them.")
    return _read_card(path)


def write_model(net: Network, card: ModelCard, path: str | Path) -> ModelCard:
    """Write `net` to `path` (.safetensors) and its card beside it (.json); returns the card with the file's sha256."""
    path = Path(path)
    data = network_bytes(net)
    values = {item.name: getattr(card, item.name) for item in fields(card)}
    card = ModelCard(**(values | {"sha256": hashlib.sha256(data).hexdigest()}))
    write_whole(path, data)
    write_whole(path.with_suffix(".json"), (json.dumps(asdict(card), indent=2) + "\n").encode("utf8"))
    return card


def _read_card(path: Path) -> ModelCard:
    values = json.loads(path.read_text(encoding="utf8"))
    for key in ("architecture", "classes", "input_range"):
        values[key] = tuple(values.get(key, (0.0, 1.0)))
    return ModelCard(**values)
