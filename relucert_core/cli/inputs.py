"""What `certify` and `attack` read: networks by name or file, images from MNIST, an .npz file or a folder."""

from __future__ import annotations

import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from relucert_core.errors import DataUnavailable, InvalidInput, RelucertError
from relucert_core.network import Network

DATA_HELP = (
    "mnist-sample (1,000 shipped test images), mnist-test, mnist-train (the full set, see `data`), FILE.npz with "
    "'images' (B, D) and perhaps 'labels' (B,), or a FOLDER of PNG and JPEG pictures"
)


@dataclass(frozen=True, eq=False)
class Images:
    """Points (B, D) float64, their labels (B,) or None, a name for each, and how many files could not be read."""

    points: np.ndarray
    labels: np.ndarray | None
    names: tuple[str, ...]
    skipped: int = 0

    def head(self, first: int | None) -> Images:
        """The first images (all for None)."""
        return self.pick(np.arange(len(self.points))[:first])

    def pick(self, rows: np.ndarray) -> Images:
        """The images at `rows`."""
        labels = None if self.labels is None else self.labels[rows]
        return Images(self.points[rows], labels, tuple(self.names[i] for i in rows), self.skipped)


def open_network(name: str) -> Network:
    """A shipped network by its name, else a safetensors file."""
    from relucert_core.importers.safetensors_file import load_network
    from relucert_core.importers.shipped import list_models, load_model

    if name in {card.name for card in list_models()}:
        return load_model(name)
    if Path(name).suffix == ".safetensors" or Path(name).exists():
        return load_network(name)
    raise DataUnavailable(f"There is no network {name!r}: give a name that `models` lists, or a .safetensors file.")


def read_images(source: str, folder: Path | None = None) -> Images:
    """The images of `source`; `folder` is MNIST's. Raises InvalidInput, DataUnavailable."""
    if source.startswith("mnist-"):
        return _mnist(source, folder)
    if Path(source).is_dir():
        return _pictures(Path(source))
    if Path(source).suffix == ".npz":
        return _npz(Path(source))
    raise DataUnavailable(f"There are no images in {source!r}: give {DATA_HELP}.")


def for_network(images: Images, model: str) -> Images:
    """MNIST's labels as class numbers of a shipped network; images of digits that it does not know are left out."""
    from relucert_core.importers.shipped import list_models

    card = next((card for card in list_models() if card.name == model), None)
    if card is None or images.labels is None or not images.names or not images.names[0].startswith("mnist-"):
        return images
    classes = card.recipe["labels"]
    rows = np.flatnonzero([classes[label] is not None for label in images.labels])
    known = images.pick(rows)
    return Images(known.points, np.array([classes[label] for label in images.labels[rows]]), known.names, known.skipped)


def _mnist(source: str, folder: Path | None) -> Images:
    from relucert_core.datasets.mnist import load_mnist, mnist_sample

    if source == "mnist-sample":
        points, labels = mnist_sample()
    elif source in ("mnist-test", "mnist-train"):
        points, labels = load_mnist(source.removeprefix("mnist-"), folder)
    else:
        raise DataUnavailable(f"There is no data set {source!r}: give {DATA_HELP}.")
    return Images(points, labels, tuple(f"{source}/{i}" for i in range(len(points))))


def _npz(path: Path) -> Images:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in ("images", "labels") if key in file}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InvalidInput(f"{path.name} is no readable .npz file ({error}).") from None
    if "images" not in arrays or arrays["images"].dtype.kind not in "fiub":
        raise InvalidInput(f"{path.name} has no array of numbers named 'images' (B, D).")
    points = arrays["images"].reshape(len(arrays["images"]), -1).astype(np.float64)
    labels = arrays.get("labels")
    if labels is not None and (labels.shape != (len(points),) or labels.dtype.kind not in "iu"):
        raise InvalidInput(f"'labels' in {path.name} must be {len(points)} whole numbers.")
    return Images(points, labels, tuple(f"{path.name}/{i}" for i in range(len(points))))


def _pictures(folder: Path) -> Images:
    from relucert_core.datasets.pictures import digit_from_picture

    digits, names, skipped = [], [], 0
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg")):
        try:
            digits.append(digit_from_picture(path.read_bytes()))
            names.append(path.name)
        except RelucertError as error:
            skipped += 1
            print(f"{path.name} was left out: {error}", file=sys.stderr)
    if not digits:
        raise DataUnavailable(f"There is no readable PNG or JPEG picture in {folder.name!r}.")
    return Images(np.stack(digits), None, tuple(names), skipped)
