"""What `certify` and `attack` read: networks by name or file, images from MNIST, an array file or a folder."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from relucert_core.errors import DataUnavailable, InvalidInput, RelucertError, shown
from relucert_core.files import is_file, is_folder, read_file
from relucert_core.network import Network

DATA_SETS = ("mnist-sample", "mnist-test", "mnist-train")
DATA_HELP = (
    "mnist-sample (1,000 shipped test images), mnist-test, mnist-train (the full set, see `data`), FILE.npz with "
    "'images' (B, D) and perhaps 'labels' (B,), FILE.npy with images (B, D), or a FOLDER of PNG and JPEG pictures"
)
_PICTURES = (".png", ".jpg", ".jpeg")
_TWO_WAYS = (
    "can be read in two ways: ink was taken to be what stands out from the paper beside it; where a large dark part is "
    "ink, not a shadow, cut the picture closer."
)
_OUT_OF_RANGE = 0.5  # of the range's length: beyond, the images are probably on another scale


@dataclass(frozen=True, eq=False)
class Images:
    """Points (B, D) float64, their labels (B,) or None, a name for each, and how many files could not be read.

    data_set: the reserved word that they came by, "" for files. whole: were they stored as whole numbers?
    """

    points: np.ndarray
    labels: np.ndarray | None
    names: tuple[str, ...]
    skipped: int = 0
    data_set: str = ""
    whole: bool = False

    def head(self, first: int | None) -> Images:
        """The first images (all for None)."""
        return self.pick(np.arange(len(self.points))[:first])

    def pick(self, rows: np.ndarray) -> Images:
        """The images at `rows`."""
        labels = None if self.labels is None else self.labels[rows]
        return replace(self, points=self.points[rows], labels=labels, names=tuple(self.names[i] for i in rows))


MODEL_HELP = "a shipped network, or a file: .safetensors, .onnx, .pth, .pt (state dict) or .nnet"


def add_image_arguments(
    parser: argparse.ArgumentParser,
    *,
    data_required: bool = True,
    model_required: bool = True,
    model_help: str = MODEL_HELP,
) -> None:
    """--model, how its file is read, --data and --folder."""
    parser.add_argument("--model", required=model_required, metavar="NAME|FILE", help=model_help)
    parser.add_argument("--data", required=data_required, metavar="DATA", help=DATA_HELP)
    parser.add_argument("--folder", type=Path, help="MNIST's folder (default: RELUCERT_MNIST, else the user's cache)")
    add_reading_arguments(parser)


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """What a file of a network may leave unsaid; the same as the arguments of `read_network`."""
    group = parser.add_argument_group("reading the network's file")
    group.add_argument("--input-shape", metavar="N,N,..", help="shape of one point, such as 1,28,28")
    group.add_argument("--layers", metavar="NAME,NAME", help="the linear layers in order, for a table of weights")
    group.add_argument("--activation", choices=("relu",), help="what lies between the layers of a table of weights")
    group.add_argument("--best", choices=("max", "min"), help="which score wins (default: max)")
    group.add_argument("--trained-on", metavar="A,B", help="the network's own inputs run from A to B, not from 0 to 1")


def reading_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The arguments of `read_network` that were given on the command line; InvalidInput for what is no number."""
    options: dict[str, Any] = {"activation": arguments.activation, "best": arguments.best}
    try:
        if arguments.input_shape:
            options["input_shape"] = [int(n) for n in arguments.input_shape.split(",")]
        if arguments.trained_on:
            low, high = (float(n) for n in arguments.trained_on.split(","))
            options["trained_on"] = (low, high)
    except ValueError:
        raise InvalidInput(
            "--input-shape takes whole numbers such as 1,28,28, --trained-on two such as 0,255."
        ) from None
    if arguments.layers:
        options["layers"] = arguments.layers.split(",")
    return options


def open_network(name: str, arguments: argparse.Namespace | None = None) -> Network:
    """A shipped network by its name, else a file that `read_network` reads."""
    from relucert_core.importers.registry import read_network

    if not name or not (is_file(name) or is_shipped(name)):
        raise DataUnavailable(f"There is no network {shown(name)}: give a name that `models` lists, or a file.")
    return read_network(name, **(reading_options(arguments) if arguments is not None else {}))


def is_shipped(name: str) -> bool:
    """Is this the name of a shipped network?"""
    from relucert_core.importers.shipped import list_models

    return name in {card.name for card in list_models()}


def read_images(source: str, folder: Path | None = None) -> Images:
    """The images of `source`; `folder` is MNIST's. Raises InvalidInput, DataUnavailable.

    Only the reserved words are data sets; every other name is a path.
    """
    if source in DATA_SETS:
        return _mnist(source, folder)
    if is_folder(source):
        return _pictures(Path(source))
    if is_file(source) and Path(source).suffix.lower() in (".npz", ".npy"):
        return _arrays(Path(source))
    raise DataUnavailable(f"There are no images in {shown(source)}: give {DATA_HELP}.")


def images_asked_for(arguments: argparse.Namespace, net: Network) -> Images:
    """The images that --data, --folder and --first name, as `net` wants them."""
    return for_network(read_images(arguments.data, arguments.folder), arguments.model, net).head(arguments.first)


def for_network(images: Images, model: str, net: Network) -> Images:
    """The images as `net` wants them, which was opened by the name `model`.

    MNIST's labels become class numbers of a shipped network, and images of digits that it does not know are left out.
    For a network whose inputs have a known range whole numbers from a file are refused, and values far outside it get a
    warning on stderr.
    """
    _check_scale(images, net)
    from relucert_core.importers.shipped import list_models

    card = next((card for card in list_models() if card.name == model), None)
    if card is None or images.labels is None or not images.data_set:
        return images
    classes = card.labels
    rows = np.flatnonzero([classes[label] is not None for label in images.labels])
    known = images.pick(rows)
    return replace(known, labels=np.array([classes[label] for label in images.labels[rows]], dtype=np.int64))


def _check_scale(images: Images, net: Network) -> None:
    """Refuse whole numbers, and warn of values far beyond the range that the network's card gives for its inputs."""
    if net.input_range is None or not images.points.size:
        return
    low, high = net.input_range
    least, most = float(images.points.min()), float(images.points.max())
    remedy = "divide them by 255, or read the network with trained_on=(0, 255)"
    if images.whole:
        raise InvalidInput(
            f"The images are whole numbers from {least:g} to {most:g}, and this network takes inputs from {low:g} to "
            f"{high:g}: {remedy}."
        )
    spare = _OUT_OF_RANGE * (high - low)
    if least < low - spare or most > high + spare:
        print(
            f"Warning: the images run from {least:g} to {most:g}, and this network takes inputs from {low:g} to "
            f"{high:g}: if they are on another scale, {remedy}.",
            file=sys.stderr,
        )


def _mnist(source: str, folder: Path | None) -> Images:
    from relucert_core.datasets.mnist import load_mnist, mnist_sample

    if source == "mnist-sample":
        points, labels = mnist_sample()
    else:
        points, labels = load_mnist(source.removeprefix("mnist-"), folder)
    return Images(points, labels, tuple(f"{source}/{i}" for i in range(len(points))), data_set=source)


def _arrays(path: Path) -> Images:
    """The images of a .npz or .npy file."""
    from relucert_core.datasets.array_files import MAX_BYTES, read_npy, read_npz

    data, name = read_file(path, MAX_BYTES), shown(path.name)
    if path.suffix.lower() == ".npz":
        arrays = read_npz(data, ("images", "labels"), path.name)
    else:
        arrays = {"images": read_npy(data, name)}
    images, labels = arrays.get("images"), arrays.get("labels")
    if images is None:
        raise InvalidInput(f"{name} has no array of numbers named 'images' (B, D).")
    if images.ndim < 2 or not images.size:
        raise InvalidInput(f"The images in {name} must be an array (B, D) of at least one; {images.shape} came.")
    if labels is not None and (labels.shape != images.shape[:1] or labels.dtype.kind not in "iu"):
        raise InvalidInput(f"'labels' in {name} must be {len(images)} whole numbers.")
    points = images.reshape(len(images), -1).astype(np.float64)
    if labels is not None and int(labels.max()) > np.iinfo(np.int64).max:
        raise InvalidInput(f"'labels' in {name} reach {int(labels.max())}, which is no class.")
    labels = None if labels is None else labels.astype(np.int64)
    names = tuple(f"{path.name}/{i}" for i in range(len(points)))
    return Images(points, labels, names, whole=images.dtype.kind in "iu")


def _pictures(folder: Path) -> Images:
    from relucert_core.datasets.picture_files import MAX_FILE_BYTES
    from relucert_core.datasets.pictures import readings_of_picture

    digits, names, skipped = [], [], 0
    try:
        paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in _PICTURES)
    except OSError as error:
        raise DataUnavailable(f"The folder {shown(str(folder))} cannot be read ({error.strerror}).") from None
    for path in paths:
        try:
            readings = readings_of_picture(read_file(path, MAX_FILE_BYTES))
            digits.append(readings[0])
            names.append(path.name)
            if len(readings) > 1:
                print(f"Warning: {shown(path.name)} {_TWO_WAYS}", file=sys.stderr)
        except RelucertError as error:
            skipped += 1
            print(f"{shown(path.name)} was left out: {error}", file=sys.stderr)
    if not digits:
        raise DataUnavailable(f"There is no readable PNG or JPEG picture in {shown(str(folder))}.")
    return Images(np.stack(digits), None, tuple(names), skipped)
