"""How to cite what a record or an export holds: the paper, this software, and which version of it made the file.

The only home of both entries: pages, downloads, records, command line and README take them from here. A file says of
itself how it was made: CSV in lines that begin with #, which our readers, pandas (comment="#"), NumPy and pgfplots pass
over; SVG in its <metadata>; PNG in text chunks (PNG specification, third edition, 11.3.3).
"""

from __future__ import annotations

import platform
import struct
import zlib
from collections.abc import Mapping
from html import escape

PAPER = """@misc{singla2019robustness,
  author = {Singla, Sahil and Feizi, Soheil},
  title = {Robustness Certificates Against Adversarial Examples for {ReLU} Networks},
  year = {2019}
}"""
_SOFTWARE = """@software{relucert,
  author = {{The Relucert authors}},
  title = {Relucert: see, measure and tighten the robustness certificates of {ReLU} networks},
  year = {2026},
  version = {%s}
}"""


def version() -> str:
    """The version of this software."""
    from relucert_core import __version__

    return __version__


def software() -> str:
    """The BibTeX entry of this software in this version."""
    return _SOFTWARE % version()


def bibtex() -> str:
    """Both entries, the paper's first, as a .bib file has them."""
    return f"{PAPER}\n\n{software()}\n"


def made_by(command: str, **digests: str) -> dict[str, str]:
    """What every record and export says of its making.

    version, command (or Python) that makes it again, Python's version, and how to cite it. digests: of what it is
    about, such as network and point, by name.
    """
    about = {"version": f"relucert {version()}", "command": command, "python": platform.python_version()}
    if digests:
        about["digests"] = ", ".join(f"{name} {digest}" for name, digest in digests.items())
    return about | {"cite": bibtex()}


def lines_of(about: Mapping[str, str]) -> list[str]:
    """What `made_by` says as lines "name: value"; the further lines of a value are indented."""
    return [
        line for name, value in about.items() for line in f"{name}: {value.strip()}".replace("\n", "\n  ").split("\n")
    ]


def in_csv(text: str, about: Mapping[str, str]) -> str:
    """A CSV file's text with its making before it, in lines that begin with #."""
    return "".join(f"{f'# {line}'.rstrip()}\n" for line in lines_of(about)) + text


def in_svg(svg: bytes, about: Mapping[str, str]) -> bytes:
    """An SVG file with its making as <metadata>, the first thing in it."""
    text = svg.decode()
    end = text.index(">", text.index("<svg")) + 1
    words = escape("\n".join(lines_of(about)), quote=False)
    return f"{text[:end]}\n<metadata>\n{words}\n</metadata>{text[end:]}".encode()


def in_png(png: bytes, about: Mapping[str, str]) -> bytes:
    """A PNG file with its making in text chunks after its header, one for each name; the version stands as Software."""
    head = 8 + 25  # the signature and the chunk IHDR
    return png[:head] + b"".join(_text_chunk(name, value) for name, value in about.items()) + png[head:]


def _text_chunk(name: str, value: str) -> bytes:
    """A chunk iTXt, not compressed, without a language."""
    keyword = "Software" if name == "version" else name.capitalize()
    body = b"iTXt" + keyword.encode("latin-1") + b"\0\0\0\0\0" + value.encode()
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
