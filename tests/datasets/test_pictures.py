"""Uploaded pictures: what becomes of good ones, and one sentence for each bad one."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relucert_core.datasets.mnist import mnist_sample
from relucert_core.datasets.packing import pack_digit, unpack_digit
from relucert_core.datasets.pictures import digit_from_array, digit_from_picture, readings_of_picture
from relucert_core.errors import InvalidInput

IMAGES, LABELS = mnist_sample()
INKED = IMAGES[0].reshape(28, 28)


def as_bytes(digit):
    return np.rint(digit * 255).astype(np.uint8).reshape(28, 28)


def enlarged(digit, side=280):
    """The digit as a large grey picture with smooth edges, light on dark."""
    return Image.fromarray(as_bytes(digit)).resize((side, side), Image.Resampling.BICUBIC)


def inverted(image):
    return Image.fromarray(255 - np.asarray(image))


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def with_alpha(digit, ink):
    layers = np.zeros((280, 280, 4), np.uint8)
    layers[..., :3] = ink
    layers[..., 3] = np.asarray(enlarged(digit))
    return Image.fromarray(layers)


def two_colours(digit, ink, paper):
    """Ink and paper of (nearly) the same luma."""
    share = np.asarray(enlarged(digit))[..., None] / 255.0
    return Image.fromarray(np.rint(share * np.array(ink) + (1 - share) * np.array(paper)).astype(np.uint8))


def half_opaque(digit):
    layers = np.asarray(with_alpha(digit, 0)).copy()
    layers[..., 3] //= 2
    return Image.fromarray(layers)


def cut_out(digit):
    layers = np.full((280, 280, 4), 255, np.uint8)
    layers[..., 3] = 255 - np.asarray(enlarged(digit))
    return Image.fromarray(layers)


def photographed(digit):
    """Dark ink on a sheet lit from one side, with noise, off the middle."""
    generator = np.random.default_rng(7)
    sheet = np.full((500, 640), 160.0) + np.linspace(-80, 70, 640) + generator.normal(0, 6, (500, 640))
    sheet[60:340, 240:520] *= 1 - 0.75 * np.asarray(enlarged(digit)) / 255.0
    return Image.fromarray(np.clip(sheet, 0, 255).astype(np.uint8))


def with_speck(digit):
    sheet = np.full((400, 400), 255, np.uint8)
    sheet[100:380, 100:380] = np.asarray(inverted(enlarged(digit)))
    sheet[5:9, 5:9] = 0
    return Image.fromarray(sheet)


WAYS = {
    "light on dark": lambda d: encoded(enlarged(d)),
    "dark on light": lambda d: encoded(inverted(enlarged(d))),
    "JPEG": lambda d: encoded(inverted(enlarged(d)), "JPEG", quality=40),
    "progressive JPEG": lambda d: encoded(inverted(enlarged(d)), "JPEG", progressive=True),
    "CMYK": lambda d: encoded(inverted(enlarged(d)).convert("CMYK"), "JPEG"),
    "palette": lambda d: encoded(inverted(enlarged(d)).convert("P")),
    "one bit": lambda d: encoded(enlarged(d).convert("1", dither=Image.Dither.NONE)),
    "16 bit": lambda d: encoded(Image.fromarray(np.asarray(enlarged(d)).astype(np.uint16) * 200)),
    "grey with alpha": lambda d: encoded(inverted(enlarged(d)).convert("LA")),
    "black on nothing": lambda d: encoded(with_alpha(d, 0)),
    "white on nothing": lambda d: encoded(with_alpha(d, 255)),
    "colours": lambda d: encoded(Image.merge("RGB", [inverted(enlarged(d)), enlarged(d), inverted(enlarged(d))])),
    "red on green": lambda d: encoded(two_colours(d, (200, 0, 0), (0, 102, 0))),
    "red on grey": lambda d: encoded(two_colours(d, (220, 0, 0), (66, 66, 66))),
    "blue on dark green": lambda d: encoded(two_colours(d, (0, 0, 255), (0, 50, 0))),
    "half opaque ink": lambda d: encoded(half_opaque(d)),
    "cut out of paper": lambda d: encoded(cut_out(d)),
    "12 bits of 16": lambda d: encoded(Image.fromarray(np.asarray(enlarged(d)).astype(np.uint16) * 16)),
    "10 bits of 16": lambda d: encoded(Image.fromarray(np.asarray(enlarged(d)).astype(np.uint16) * 4)),
    "8 bits of 16": lambda d: encoded(Image.fromarray(np.asarray(enlarged(d)).astype(np.uint16))),
    "photograph": lambda d: encoded(photographed(d), "JPEG", quality=85),
    "a speck of dirt": lambda d: encoded(with_speck(d)),
    "4 megapixels": lambda d: encoded(enlarged(d, 2048)),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_kind_of_picture_gives_the_digit(way):
    """Far nearer to its own digit than to any other of the first 20, and with the recipe's box and centre."""
    for number in (0, 1, 3, 4):
        digit = digit_from_picture(WAYS[way](IMAGES[number]))
        differences = np.abs(IMAGES[:20] - digit).mean(1)
        assert differences.argmin() == number
        assert differences[number] < 0.05
        assert_recipe(digit)


def shadowed(digit, angle, place):
    """Dark ink on paper that lies in a hard shadow beyond a line; with a little noise."""
    sheet = np.full((400, 400), 235.0)
    sheet[60:340, 60:340] = np.minimum(235, np.asarray(inverted(enlarged(digit))))
    y, x = np.mgrid[-1:1:400j, -1:1:400j]
    sheet[np.cos(angle) * x + np.sin(angle) * y > place] *= 0.55
    noise = np.random.default_rng(0).normal(0, 2, sheet.shape)
    return encoded(Image.fromarray(np.clip(sheet + noise, 0, 255).astype(np.uint8)))


def similarity(first, second):
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


@pytest.mark.parametrize("angle", [0.0, 0.3, 1.2])
@pytest.mark.parametrize("place", [-0.3, 0.0, 0.3])
def test_a_hard_shadow_gives_two_readings_or_the_digit(angle, place):
    """Without contrast with the paper beside it the shadow was read as ink, without a word."""
    for number in (0, 1, 3, 4):
        readings = readings_of_picture(shadowed(IMAGES[number], angle, place))
        assert similarity(readings[0], IMAGES[number]) > 0.8
        assert len(readings) == 2 or similarity(readings[0], IMAGES[number]) > 0.95
        assert np.array_equal(readings[0], digit_from_picture(shadowed(IMAGES[number], angle, place)))


@pytest.mark.parametrize("way", WAYS)
def test_what_is_clear_has_one_reading(way):
    for image in IMAGES[5:9]:
        assert len(readings_of_picture(WAYS[way](image))) == 1


def assert_recipe(digit):
    assert (digit.shape, digit.dtype) == ((784,), np.float64)
    np.testing.assert_array_equal(np.rint(digit * 255) / 255.0, digit)
    picture = digit.reshape(28, 28)
    rows, columns = np.flatnonzero(picture.any(1)), np.flatnonzero(picture.any(0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20)
    for axis in (0, 1):
        centre = picture.sum(1 - axis) @ np.arange(28) / picture.sum()
        assert abs(centre - 14) <= 0.51


def test_mnist_itself_comes_back_unchanged():
    for digit in IMAGES[:200]:
        np.testing.assert_array_equal(digit_from_picture(encoded(Image.fromarray(as_bytes(digit)))), digit)
        np.testing.assert_array_equal(digit_from_array(255 - as_bytes(digit)), digit)
        np.testing.assert_array_equal(digit_from_array(digit.reshape(28, 28)), digit)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_undone(orientation):
    """Pillow's own exif_transpose is the oracle."""
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    canvas = Image.new("L", (300, 340), 255)
    canvas.paste(inverted(enlarged(IMAGES[0])), (5, 40))
    data = encoded(canvas, "JPEG", exif=exif, quality=95)
    turned = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    np.testing.assert_array_equal(digit_from_picture(data), digit_from_array(np.asarray(turned)))


def test_aspect_is_kept():
    bar = np.ones((300, 300))
    bar[30:270, 130:160] = 0  # 240 x 30: to 20 x 2.5
    picture = digit_from_array(bar).reshape(28, 28)
    assert picture.any(1).sum() == 20
    assert picture.any(0).sum() in (2, 3)


def test_extreme_shapes_are_digits_too():
    for shape in ((4_000_000, 1), (1, 4_000_000), (1, 2), (3, 5)):
        array = np.zeros(shape, np.uint8)
        array.flat[: array.size // 3 + 1] = 255
        assert digit_from_array(array).max() > 0


def png_chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, bits=8, colour=0, body=b"", extra=b""):
    """A PNG put together by hand, whatever its header claims."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + png_chunk(b"IDAT", zlib.compress(body)) + png_chunk(b"IEND", b"")


GOOD = encoded(inverted(enlarged(IMAGES[0])))
GOOD_JPEG = encoded(inverted(enlarged(IMAGES[0])), "JPEG")
BLACK_ROWS = b"\0" * (2001 * 2000)
TEXT_BOMB = b"k\0\0" + zlib.compress(b"a" * 90_000_000)
HOSTILE = {
    "empty": b"",
    "one byte": b"\x89",
    "text": b"I am a picture, honestly",
    "signature alone": b"\x89PNG\r\n\x1a\n",
    "JPEG signature alone": b"\xff\xd8\xff",
    "GIF": encoded(enlarged(IMAGES[0]), "GIF"),
    "BMP": encoded(enlarged(IMAGES[0]), "BMP"),
    "TIFF": encoded(enlarged(IMAGES[0]), "TIFF"),
    "WebP": encoded(enlarged(IMAGES[0]).convert("RGB"), "WEBP"),
    "GIF in PNG's clothes": b"\x89PNG\r\n\x1a\n" + encoded(enlarged(IMAGES[0]), "GIF"),
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'><rect width='9' height='9'/></svg>",
    "PDF": b"%PDF-1.7\n1 0 obj << >> endobj",
    "zip": b"PK\x03\x04" + b"\0" * 100,
    "HTML": b"<!doctype html><script>alert(1)</script>",
    "cut PNG": GOOD[: len(GOOD) // 2],
    "cut before the pixels": GOOD[:40],
    "cut JPEG": GOOD_JPEG[: len(GOOD_JPEG) // 2],
    "JPEG header alone": GOOD_JPEG[:200],
    "wrong checksum": GOOD[:30] + bytes([GOOD[30] ^ 255]) + GOOD[31:],
    "scrambled pixels": GOOD[:60] + bytes(b ^ 0x5A for b in GOOD[60:-20]) + GOOD[-20:],
    "no pixels": png(100, 100, body=b""),
    "zero width": png(0, 100),
    "zero height": png(100, 0),
    "negative size": png(0xFFFFFFFF, 10),
    "a billion pixels": png(40_000, 25_000),
    "bomb of 179 megapixels": png(13_380, 13_380, body=BLACK_ROWS),
    "bomb of 5 megapixels": png(2500, 2000, body=BLACK_ROWS),
    "widest row": png(0x7FFFFFFF, 1),
    "unknown colour type": png(10, 10, colour=5, body=b"\0" * 500),
    "bit depth of 3": png(10, 10, bits=3, body=b"\0" * 500),
    "palette that is missing": png(10, 10, colour=3, body=b"\0" * 110),
    "text bomb": png(10, 10, body=b"\0" * 110, extra=png_chunk(b"zTXt", TEXT_BOMB)),
    "profile bomb": png(10, 10, body=b"\0" * 110, extra=png_chunk(b"iCCP", TEXT_BOMB)),
    "chunk longer than the file": GOOD[:33] + struct.pack(">I", 0x7FFFFFFF) + b"tEXt" + GOOD[33:],
    "JPEG with thousands of scans": GOOD_JPEG[:-2] + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" * 3000 + b"\xff\xd9",
    "JPEG that claims 65,535 squared": GOOD_JPEG.replace(struct.pack(">HH", 280, 280), b"\xff\xff\xff\xff", 1),
    "all white": encoded(Image.new("L", (300, 300), 255)),
    "all black": encoded(Image.new("L", (300, 300), 0)),
    "nearly white": encoded(Image.fromarray(np.random.default_rng(0).integers(250, 256, (300, 300), dtype=np.uint8))),
    "one pixel": encoded(Image.new("L", (1, 1), 0)),
    "wholly transparent": encoded(Image.new("RGBA", (50, 50), (0, 0, 0, 0))),
    "huge file": b"\x89PNG\r\n\x1a\n" + b"\0" * 37_000_000,
    "slope without ink": encoded(Image.fromarray(np.tile(np.linspace(60, 220, 300), (300, 1)).astype(np.uint8))),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_bad_files_get_one_sentence(name):
    with pytest.raises(InvalidInput) as caught:
        digit_from_picture(HOSTILE[name])
    message = str(caught.value)
    assert "\n" not in message
    assert 20 < len(message) < 250
    assert "Traceback" not in message
    assert "object at 0x" not in message


def test_there_are_more_than_thirty_bad_files():
    assert len(HOSTILE) >= 30


def test_not_bytes_at_all():
    with pytest.raises(InvalidInput):
        digit_from_picture(None)


def test_noise_never_gives_anything_but_a_digit_or_a_sentence():
    """Good files with random bytes changed: a digit or InvalidInput, nothing else."""
    generator = np.random.default_rng(3)
    outcomes = set()
    for trial in range(150):
        data = bytearray(GOOD if trial % 2 else GOOD_JPEG)
        for place in generator.integers(8, len(data), 1 + trial % 5):
            data[place] = generator.integers(256)
        try:
            assert digit_from_picture(bytes(data)).shape == (784,)
            outcomes.add("digit")
        except InvalidInput:
            outcomes.add("refused")
    assert outcomes == {"digit", "refused"}


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read as Linux reports it")
def test_memory_stays_below_200_megabytes(tmp_path):
    """The heaviest files that are accepted and the worst that are not, in a process of their own."""
    noise = np.random.default_rng(0).integers(0, 256, (2048, 2048, 4), dtype=np.uint8)
    files = {
        "rgba.png": encoded(Image.fromarray(noise), compress_level=1),
        "noise.jpg": encoded(Image.fromarray(noise[..., :3]).convert("CMYK"), "JPEG"),
        "bomb.png": HOSTILE["bomb of 179 megapixels"],
        "text.png": HOSTILE["text bomb"],
        "profile.png": HOSTILE["profile bomb"],
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    script = """
import resource, sys, pathlib
import numpy, PIL.Image, PIL.PngImagePlugin, PIL.JpegImagePlugin, scipy.ndimage
from relucert_core.datasets.pictures import digit_from_picture
from relucert_core.errors import InvalidInput
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        digit_from_picture(path.read_bytes())
    except InvalidInput:
        pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
assert "torch" not in sys.modules
"""
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=root, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) < 200


@pytest.mark.parametrize(
    "array",
    [np.zeros((0, 5)), np.zeros(784), np.zeros((2, 2, 2)), np.full((9, 9), np.nan), np.full((9, 9), 2.0), "x"],
    ids=["empty", "flat", "cube", "nan", "beyond one", "text"],
)
def test_bad_arrays_are_refused(array):
    with pytest.raises(InvalidInput):
        digit_from_array(array)


def test_packing_loses_nothing_and_is_short():
    lengths = []
    for digit in IMAGES:
        word = pack_digit(digit)
        np.testing.assert_array_equal(unpack_digit(word), digit)
        lengths.append(len(word))
        assert word.replace("-", "").replace("_", "").isalnum()
    assert max(lengths) < 400
    drawn = [digit_from_picture(WAYS["dark on light"](digit)) for digit in IMAGES[:50]]
    assert max(len(pack_digit(digit)) for digit in drawn) < 400


def test_packing_of_any_bytes():
    generator = np.random.default_rng(0)
    noise = generator.integers(0, 256, (28, 28), dtype=np.uint8)
    np.testing.assert_array_equal(unpack_digit(pack_digit(noise)), noise.reshape(-1) / 255.0)
    for bad in (np.full(784, 0.5), np.full(784, np.nan), np.full(784, 2.0), np.zeros(783), np.full(784, "a")):
        with pytest.raises(InvalidInput):
            pack_digit(bad)


def test_unpacking_of_hostile_words():
    def packed(data):
        import base64

        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return base64.urlsafe_b64encode(packer.compress(data) + packer.flush()).decode().rstrip("=")

    good = pack_digit(IMAGES[0])
    bomb = packed(b"\0" * 500_000)  # 785 bytes of it are unpacked, no more
    words = ["", "r", "x" + good[1:], good[:-9], good[0] + "é" * 9, good + "AAAA", "r" + "A" * 5000, None, 7, b"rAAA"]
    words += ["r" + bomb, "c" + packed(b"\0" * 783), "c" + packed(b"\0" * 785), "r====", "r\n\n\n", "r" + "-_" * 30]
    for word in words:
        with pytest.raises(InvalidInput, match="link"):
            unpack_digit(word)
