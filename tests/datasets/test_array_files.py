"""Array files: what NumPy writes is read back, everything else is refused in a sentence before memory is taken."""

import io
import struct
import zipfile

import numpy as np
import pytest

from relucert_core.datasets import array_files
from relucert_core.datasets.array_files import read_npy, read_npz
from relucert_core.errors import InvalidInput


def npy(array, **options):
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def npz(**arrays):
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def archive(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return stream.getvalue()


def header(text):
    words = text.encode("latin1").ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(words)) + words


@pytest.mark.parametrize("dtype", ["f8", ">f4", "f2", "u1", "i4", "?", "<i8"])
def test_real_numbers_come_back(dtype):
    array = np.arange(12).reshape(3, 4).astype(dtype)
    np.testing.assert_array_equal(read_npy(npy(array), "it"), array)
    np.testing.assert_array_equal(read_npy(npy(np.asfortranarray(array)), "it"), array)
    found = read_npz(npz(images=array, other=np.array(["text"])), ("images", "labels"), "f.npz")
    assert list(found) == ["images"]
    np.testing.assert_array_equal(found["images"], array)


def test_headers_of_python_2_are_read_without_a_word():
    """NumPy warns of long integers in a header; warnings are errors here."""
    data = header("{'descr': '<f8', 'fortran_order': False, 'shape': (2L, 1L), }") + np.array([1.0, 2.0]).tobytes()
    np.testing.assert_array_equal(read_npy(data, "it"), [[1.0], [2.0]])
    np.testing.assert_array_equal(read_npz(archive({"images.npy": data}), ("images",), "f")["images"], [[1.0], [2.0]])


SHAPES = ["(30000000, 28800000)", "(-1,)", "(True,)", "('a',)", "None", "5", "(2**70,)", "(9223372036854775807,) * 9"]
BAD = {
    "nothing": b"",
    "one byte": b"\x93",
    "text": b"x,y,class\n",
    "objects": npy(np.array([None, 1], dtype=object), allow_pickle=True),
    "complex": npy(np.ones(3, dtype=complex)),
    "text array": npy(np.array(["a"])),
    "records": npy(np.zeros(3, dtype=[("a", "f8")])),
    "cut": npy(np.ones(100))[:-8],
    "longer": npy(np.ones(100)) + b"more",
    "brackets": header("[" * 60_000),
    "brackets in a short header": header("(" * 100),
    "no dictionary": header("3"),
    **{f"shape {s}": header(f"{{'descr': '<f8', 'fortran_order': False, 'shape': {s}, }}") for s in SHAPES},
    "descr": header("{'descr': '<f99', 'fortran_order': False, 'shape': (1,), }"),
    "sub-array": header("{'descr': ('<f8', (2,)), 'fortran_order': False, 'shape': (1,), }") + bytes(16),
    "version 9": b"\x93NUMPY\x09\x00" + bytes(20),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arrays_get_one_sentence(name):
    for read in (
        lambda data: read_npy(data, "'it'"),
        lambda data: read_npz(archive({"images.npy": data}), ("images",), "f.npz"),
    ):
        with pytest.raises(InvalidInput) as caught:
            read(BAD[name])
        assert 20 < len(str(caught.value)) < 300


def test_bad_archives_get_one_sentence():
    good = npz(images=np.ones((3, 4)))
    damaged = good[:60] + bytes([good[60] ^ 255]) + good[61:]
    for data in (b"", b"PK", good[:-30], good[: len(good) // 2], damaged, npy(np.ones(3)), b"\0" * 1000):
        with pytest.raises(InvalidInput):
            read_npz(data, ("images",), "f" * 1000 + ".npz")


def test_a_bomb_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(array_files, "MAX_BYTES", 2_000_000)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file, file.open("images.npy", "w") as member:
        member.write(header("{'descr': '<f8', 'fortran_order': False, 'shape': (300000,), }"))
        member.write(bytes(2_400_000))
    with pytest.raises(InvalidInput, match="at most 2,000,000 "):
        read_npz(stream.getvalue(), ("images",), "bomb.npz")
