"""MNIST: the shipped sample, and the full set from a folder of IDX files or, on request, from public mirrors.

Y. LeCun and C. Cortes, derived from NIST's data; see assets/mnist/PROVENANCE.md. Images come as rows of 784 float64
values byte/255 (0 the paper, 1 the ink), top row first; labels as int64.
"""

from __future__ import annotations

import hashlib
import os
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from relucert_core.arrays import Indices, Matrix
from relucert_core.datasets.idx import idx_bytes, read_idx
from relucert_core.errors import DataUnavailable, InvalidInput
from relucert_core.files import make_folder, write_whole
from relucert_core.paths import DIGITS, user_cache

SAMPLE_SIZE = 1000
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
MD5 = {  # of the published .gz files
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
_STEMS = {"train": "train", "test": "t10k"}
_MAX_DOWNLOAD = 20_000_000
_TIMEOUT_SECONDS = 20


def mnist_sample() -> tuple[Matrix, Indices]:
    """The first 1,000 MNIST test images: (1000, 784) float64 in [0, 1] and their labels (1000,) int64.

    Shipped in assets/mnist; no download. The arrays are the caller's own.
    """
    pixels, labels = _read_pair(DIGITS, f"test-first-{SAMPLE_SIZE}")
    return pixels / 255.0, labels


def load_mnist(split: str, folder: str | Path | None = None) -> tuple[Matrix, Indices]:
    """All images (N, 784) float64 in [0, 1] and labels (N,) int64 of `split`, "train" (60,000) or "test" (10,000).

    Reads IDX or IDX.gz files from `folder`, else from the folder that RELUCERT_MNIST names, else from the user's
    cache folder. Raises DataUnavailable when they are not there, InvalidInput when they are damaged.
    """
    pixels, labels = load_mnist_bytes(split, folder)
    return pixels / 255.0, labels


def load_mnist_bytes(split: str, folder: str | Path | None = None) -> tuple[np.ndarray, np.ndarray]:
    """As `load_mnist`, but the pixels as the stored bytes, (N, 784) uint8."""
    if split not in _STEMS:
        raise InvalidInput(f"split={split!r} is not a part of MNIST: use 'train' or 'test'.")
    return _read_pair(mnist_folder(folder), _STEMS[split])


def mnist_folder(folder: str | Path | None = None) -> Path:
    """Where the full set is looked for: `folder`, else RELUCERT_MNIST, else the user's cache folder."""
    return Path(folder or os.environ.get("RELUCERT_MNIST") or user_cache() / "mnist")


def download_mnist(
    folder: str | Path | None = None,
    progress: Callable[[str, int], None] | None = None,
    *,
    mirrors: Sequence[str] = MIRRORS,
) -> Path:
    """Fetch the four files into `mnist_folder(folder)` and return it; files that are there and whole stay.

    `progress(file name, bytes so far)` is called along the way. Each file's MD5 is checked before it is kept. Raises
    DataUnavailable when no mirror gives it.
    """
    target = mnist_folder(folder)
    make_folder(target)
    for name, checksum in MD5.items():
        path = target / name
        if not path.is_file() or _md5(path.read_bytes()) != checksum:
            write_whole(path, _fetch(name, checksum, mirrors, progress))
    return target


def write_sample(folder: str | Path | None = None, target: Path = DIGITS) -> list[Path]:
    """Cut the shipped sample from the full test set in `folder`: the first 1,000 images and labels, in order."""
    pixels, labels = load_mnist_bytes("test", folder)
    arrays = {"images-idx3": pixels[:SAMPLE_SIZE].reshape(-1, 28, 28), "labels-idx1": labels[:SAMPLE_SIZE]}
    paths = []
    for kind, array in arrays.items():
        paths.append(target / f"test-first-{SAMPLE_SIZE}-{kind}-ubyte.gz")
        paths[-1].write_bytes(idx_bytes(array.astype(np.uint8)))
    return paths


def _read_pair(folder: Path, stem: str) -> tuple[np.ndarray, np.ndarray]:
    """(N, 784) uint8 and (N,) int64, checked to belong together."""
    images = read_idx(_find(folder, f"{stem}-images", "idx3"))
    labels = read_idx(_find(folder, f"{stem}-labels", "idx1"))
    if images.ndim != 3 or images.shape[1:] != (28, 28):
        raise InvalidInput(f"The images of {stem!r} should be 28x28 each; the file holds an array {images.shape}.")
    if labels.shape != images.shape[:1] or (labels.size and labels.max() > 9):
        raise InvalidInput(f"The labels of {stem!r} do not fit its {len(images)} images: one digit 0-9 each is needed.")
    return images.reshape(len(images), 784), labels.astype(np.int64)


def _find(folder: Path, stem: str, kind: str) -> Path:
    for name in (f"{stem}-{kind}-ubyte", f"{stem}.{kind}-ubyte"):
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    raise DataUnavailable(
        f"There is no {stem}-{kind}-ubyte(.gz) in {str(folder)!r}: put MNIST's four IDX files there, or name their "
        "folder in RELUCERT_MNIST, or fetch them with: python -m relucert_core data --download"
    )


def _fetch(name: str, checksum: str, mirrors: Sequence[str], progress: Callable[[str, int], None] | None) -> bytes:
    """The file's checked bytes from the first mirror that gives them."""
    reasons = []
    for mirror in mirrors:
        try:
            data = _download(mirror + name, name, progress)
        except (OSError, ValueError) as error:
            reasons.append(f"{mirror}: {error}")
            continue
        if _md5(data) == checksum:
            return data
        reasons.append(f"{mirror}: the checksum is wrong")
    raise DataUnavailable(
        f"Could not download {name} ({'; '.join(reasons) or 'no mirror was given'}). Try again with a working "
        "connection, or put the file into the folder that RELUCERT_MNIST names."
    )


def _download(url: str, name: str, progress: Callable[[str, int], None] | None) -> bytes:
    chunks, size = [], 0
    with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:
        while chunk := answer.read(1 << 18):
            chunks.append(chunk)
            size += len(chunk)
            if size > _MAX_DOWNLOAD:
                raise OSError(f"it sent more than {_MAX_DOWNLOAD:,} bytes")
            if progress is not None:
                progress(name, size)
    return b"".join(chunks)


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
