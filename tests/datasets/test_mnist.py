"""MNIST: the shipped sample, folders of IDX files, the checked download; each with its failures."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from relucert_core.datasets import mnist
from relucert_core.datasets.idx import idx_bytes, read_idx
from relucert_core.errors import DataUnavailable, InvalidInput

FULL_SET = Path(os.environ.get("RELUCERT_MNIST") or Path(__file__).resolve().parents[3] / "shared" / "mnist")
needs_full_set = pytest.mark.skipif(
    not list(FULL_SET.glob("t10k-images*")), reason="MNIST's full set is not here (RELUCERT_MNIST names its folder)"
)


@pytest.fixture
def folder(tmp_path):
    """A small data set of the right format, as both splits."""
    generator = np.random.default_rng(0)
    for stem in ("train", "t10k"):
        images = generator.integers(0, 256, (7, 28, 28), dtype=np.uint8)
        labels = generator.integers(0, 10, 7, dtype=np.uint8)
        (tmp_path / f"{stem}-images-idx3-ubyte.gz").write_bytes(idx_bytes(images))
        (tmp_path / f"{stem}-labels-idx1-ubyte").write_bytes(gzip.decompress(idx_bytes(labels)))
    return tmp_path


def test_sample_is_thousand_real_digits():
    images, labels = mnist.mnist_sample()
    assert (images.shape, images.dtype, labels.shape, labels.dtype) == ((1000, 784), np.float64, (1000,), np.int64)
    assert images.min() == 0.0
    assert images.max() == 1.0
    assert labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    np.testing.assert_array_equal(np.rint(images * 255) / 255.0, images)
    images[:] = 0  # the arrays are the caller's own
    assert mnist.mnist_sample()[0].any()


@needs_full_set
def test_sample_is_start_of_test_set():
    images, labels = mnist.load_mnist("test", FULL_SET)
    assert len(images) == 10_000
    np.testing.assert_array_equal(images[:1000], mnist.mnist_sample()[0])
    np.testing.assert_array_equal(labels[:1000], mnist.mnist_sample()[1])
    assert len(mnist.load_mnist_bytes("train", FULL_SET)[1]) == 60_000


def test_written_sample_is_the_shipped_one(tmp_path):
    images, labels = mnist.mnist_sample()
    stored = tmp_path / "full"
    stored.mkdir()
    pixels = np.rint(images * 255).astype(np.uint8).reshape(-1, 28, 28)
    extra = np.concatenate([pixels, pixels[:5]])
    (stored / "t10k-images-idx3-ubyte.gz").write_bytes(idx_bytes(extra))
    (stored / "t10k-labels-idx1-ubyte.gz").write_bytes(idx_bytes(np.concatenate([labels, labels[:5]]).astype(np.uint8)))
    for path in mnist.write_sample(stored, tmp_path):
        np.testing.assert_array_equal(read_idx(path), read_idx(mnist.DIGITS / path.name))


def test_folder_by_argument_and_environment(folder, monkeypatch):
    images, labels = mnist.load_mnist("train", folder)
    raw, digits = mnist.load_mnist_bytes("train", folder)
    np.testing.assert_array_equal(images, raw / 255.0)
    np.testing.assert_array_equal(labels, digits)
    monkeypatch.setenv("RELUCERT_MNIST", str(folder))
    np.testing.assert_array_equal(mnist.load_mnist("train")[0], images)


def test_missing_files_say_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("RELUCERT_MNIST", str(tmp_path))
    with pytest.raises(DataUnavailable, match=r"t10k-images.*RELUCERT_MNIST.*--download"):
        mnist.load_mnist("test")
    monkeypatch.delenv("RELUCERT_MNIST")
    assert mnist.mnist_folder().parts[-2:] == ("relucert", "mnist")
    with pytest.raises(InvalidInput, match="'train' or 'test'"):
        mnist.load_mnist("validation", tmp_path)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: data[: len(data) // 2], "cut off|damaged"),
        (lambda data: data[:40] + b"\x55" * 20 + data[60:], "damaged|cut off"),
        (lambda data: gzip.decompress(data)[:-1], "by its own header"),
        (lambda data: gzip.decompress(data) + b"\0", "by its own header"),
        (lambda data: gzip.decompress(data)[:9], "header"),
        (lambda data: b"", "no IDX"),
        (lambda data: b"hello, world", "no IDX"),
        (lambda data: b"\0\0\x08\x03" + b"\xff" * 12, "by its own header"),
        (lambda data: gzip.compress(b"\0" * 70_000_000, 1), "no MNIST"),
        (lambda data: idx_bytes(np.zeros((7, 27, 28), np.uint8)), "28x28"),
        (lambda data: idx_bytes(np.zeros((6, 28, 28), np.uint8)), "do not fit"),
    ],
)
def test_damaged_files_get_one_sentence(folder, damage, words):
    path = folder / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InvalidInput, match=words) as caught:
        mnist.load_mnist("test", folder)
    assert "\n" not in str(caught.value)


def test_labels_beyond_nine_are_refused(folder):
    (folder / "t10k-labels-idx1-ubyte").write_bytes(gzip.decompress(idx_bytes(np.full(7, 10, np.uint8))))
    with pytest.raises(InvalidInput, match="0-9"):
        mnist.load_mnist("test", folder)


@pytest.fixture
def mirror(folder, monkeypatch):
    """A mirror on the disk whose files have the checksums that are asked for."""
    names = {"train-images-idx3-ubyte.gz": b"one" * 1000, "t10k-labels-idx1-ubyte.gz": b"two"}
    mirror = folder / "mirror"
    mirror.mkdir()
    for name, data in names.items():
        (mirror / name).write_bytes(data)
    monkeypatch.setattr(mnist, "MD5", {name: mnist._md5(data) for name, data in names.items()})
    return mirror


def test_download_checks_and_keeps(mirror, tmp_path):
    told, target = [], tmp_path / "cache"
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "train-images-idx3-ubyte.gz").write_bytes(b"not it")
    mirrors = [f"{bad.as_uri()}/", f"{mirror.as_uri()}/"]
    assert mnist.download_mnist(target, lambda *said: told.append(said), mirrors=mirrors) == target
    assert (target / "train-images-idx3-ubyte.gz").read_bytes() == b"one" * 1000
    assert ("t10k-labels-idx1-ubyte.gz", 3) in told
    assert not list(target.glob("*.part*"))
    mnist.download_mnist(target, mirrors=[])  # whole files stay, no mirror is asked
    (target / "t10k-labels-idx1-ubyte.gz").write_bytes(b"tw")
    with pytest.raises(DataUnavailable, match="t10k-labels"):
        mnist.download_mnist(target, mirrors=[])


def test_download_offline_says_what_to_do(mirror, tmp_path):
    with pytest.raises(DataUnavailable, match=r"connection.*RELUCERT_MNIST"):
        mnist.download_mnist(tmp_path / "cache", mirrors=["http://127.0.0.1:9/"])
    (mirror / "train-images-idx3-ubyte.gz").write_bytes(b"changed")
    with pytest.raises(DataUnavailable, match="checksum"):
        mnist.download_mnist(tmp_path / "cache", mirrors=[f"{mirror.as_uri()}/"])
