"""How to cite what a record or an export holds: the paper, this software, and which version of it made the file.

The only home of both entries: pages, downloads, records, command line and README take them from here.
"""

from __future__ import annotations

import platform

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


def made_by(command: str) -> dict[str, str]:
    """What every record and export says of its making.

    version, command (or Python) that makes it again, Python's version, and how to cite it.
    """
    return {"version": f"relucert {version()}", "command": command, "python": platform.python_version(),
            "cite": bibtex()}  # fmt: skip
