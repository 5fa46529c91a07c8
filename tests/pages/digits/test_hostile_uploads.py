"""Corrupt, oversized and hostile pictures: one clear sentence each, the work kept, little memory, no traceback."""

from __future__ import annotations

import functools
import io
import resource
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from relucert_core.datasets.packing import unpack_digit
from tests.pages.helpers import headline, open_page

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes, *, crc: int | None = None) -> bytes:
    checksum = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def raw_png(width: int, height: int, data: bytes, *, depth: int = 8, colour: int = 0, extra: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def saved(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def stroke(side: int = 64) -> Image.Image:
    levels = np.full((side, side), 255, np.uint8)
    levels[side // 4 : -side // 4, side // 2 - 3 : side // 2 + 3] = 0
    return Image.fromarray(levels)


@functools.cache
def hostile_files() -> dict[str, bytes]:
    """Name -> bytes; every one is to be refused."""
    good, jpeg = saved(stroke(), "PNG"), saved(stroke(), "JPEG")
    noise = np.random.default_rng(0).bytes(5000)
    wide = zlib.compress(bytes(1 + 60_000))
    files = {
        "empty.png": b"",
        "signature only.png": SIGNATURE,
        "noise.png": noise,
        "noise after signature.png": SIGNATURE + noise,
        "cut in the header.png": good[:20],
        "cut in the data.png": good[: len(good) // 2],
        "no data.png": SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0)) + chunk(b"IEND", b""),
        "wrong checksum.png": SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0), crc=1) + noise,
        "zero width.png": raw_png(0, 28, zlib.compress(bytes(28))),
        "huge sides.png": raw_png(2**31 - 1, 2**31 - 1, wide),
        "60,000 wide.png": raw_png(60_000, 60_000, wide),
        "bomb 20,000 x 9,000.png": raw_png(20_000, 9_000, zlib.compress(bytes(20_001 * 900), 9)),
        "just above 4 megapixels.png": raw_png(2049, 2048, zlib.compress(bytes(2050 * 2048), 9)),
        "bad colour type.png": raw_png(28, 28, zlib.compress(bytes(29 * 28)), colour=5),
        "bad depth.png": raw_png(28, 28, zlib.compress(bytes(29 * 28)), depth=7),
        "no zlib.png": raw_png(28, 28, noise[:500]),
        "text bomb.png": raw_png(28, 28, b"", extra=chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(50_000_000), 9))),
        "profile bomb.png": raw_png(28, 28, b"", extra=chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(50_000_000), 9))),
        "all white.png": saved(Image.new("L", (100, 100), 255), "PNG"),
        "all black.png": saved(Image.new("L", (100, 100), 0), "PNG"),
        "nearly one grey.png": saved(Image.fromarray(np.tile(np.arange(120, 128, dtype=np.uint8), (64, 8))), "PNG"),
        "transparent.png": saved(Image.new("RGBA", (64, 64), (0, 0, 0, 0)), "PNG"),
        "one pixel.png": saved(Image.new("L", (1, 1), 0), "PNG"),
        "gif in disguise.png": saved(stroke(), "GIF"),
        "bmp in disguise.png": saved(stroke(), "BMP"),
        "tiff in disguise.png": saved(stroke(), "TIFF"),
        "webp in disguise.jpg": saved(stroke(), "WEBP"),
        "svg.png": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        "html.jpg": b"<!doctype html><script>alert(1)</script>",
        "zip.png": b"PK\x03\x04" + noise,
        "pickle.png": b"\x80\x04\x95cposix\nsystem\n(S'true'\ntR.",
        "postscript.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        "jpeg start only.jpg": b"\xff\xd8\xff",
        "jpeg cut.jpg": jpeg[: len(jpeg) // 3],
        "jpeg noise.jpg": b"\xff\xd8\xff\xe0" + noise,
        "jpeg claims 65,500 x 65,500.jpg": _resized_jpeg(jpeg, 65_500, 65_500),
        "jpeg with 500 scans.jpg": jpeg[:-2] + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" * 500 + jpeg[-2:],
        "9 megabytes of zeros.png": bytes(9_000_000),
    }
    return files


def _resized_jpeg(data: bytes, width: int, height: int) -> bytes:
    """The same JPEG with other sides in its frame header."""
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def peak_megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


@pytest.fixture(scope="module")
def page():
    at = open_page("digits", digits_net="mnist-20-20-20", digits_way="Upload", digits_image="1")
    assert not at.exception
    return at


def test_there_are_at_least_thirty():
    assert len(hostile_files()) >= 30


@pytest.mark.parametrize("name", list(hostile_files()))
def test_hostile_file_gets_one_sentence_and_the_digit_stays(page, name):
    before_line, before = headline(page), peak_megabytes()
    page.file_uploader(key="digits_upload").upload(name, hostile_files()[name], "image/png").run()
    assert not page.exception
    assert len(page.error) == 1, [e.value for e in page.error]
    words = page.error[0].value
    assert 20 < len(words) < 250
    assert "Traceback" not in words
    assert "\n" not in words
    assert headline(page) == before_line
    assert peak_megabytes() - before < 200


@pytest.mark.parametrize("word", ["r" + "A" * 1199, "c" + "_" * 50, "r" + "eJw" * 300, "c" + "7MEBAQAAAIIg_6_uSA" * 20])
def test_hostile_links_unpack_to_nothing(word):
    with pytest.raises(ValueError, match="link"):
        unpack_digit(word)
