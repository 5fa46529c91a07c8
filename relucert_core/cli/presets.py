"""`python -m relucert_core presets`: make the playground's stored networks again."""

from __future__ import annotations

import argparse
import json
from typing import Any

from relucert_core.errors import InvalidInput, shown
from relucert_core.files import make_folder, write_whole
from relucert_core.words import down

_BOX, _CENTRE = 1.25, (0.0, 0.05)


def add_parser(subparsers: Any) -> None:
    """Add `presets` to the command line."""
    parser = subparsers.add_parser(
        "presets",
        help="make the playground's stored networks again",
        description="Train the playground's prepared networks from their seeds and write them with their snapshots, "
        "and the geometry of the first page's picture, to a folder. Takes about a minute.",
        epilog="Example: python -m relucert_core presets --to assets/presets",
    )
    parser.add_argument("--to", metavar="FOLDER", help="where the files go (default: the folder that the app reads)")
    parser.add_argument("--only", metavar="NAME", action="append", help="make only this one; may be given repeatedly")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the files; 0."""
    from relucert_core.experiments.showcase import build_run, runs
    from relucert_core.paths import PRESETS

    known = runs()
    for name in arguments.only or ():
        if name not in known:
            raise InvalidInput(f"There is no stored network {shown(name)}: use one of {', '.join(known)}.")
    folder = make_folder(PRESETS if arguments.to is None else arguments.to)
    for name in arguments.only or known:
        data = build_run(name)
        write_whole(folder / f"{name}.safetensors", data)
        print(f"{name}: {len(data):,} bytes")
    if not arguments.only and folder == PRESETS:
        picture = json.dumps(figure1_data(), separators=(",", ":"))
        write_whole(folder / "figure1.json", picture.encode("utf8"))
        print(f"figure1.json: {len(picture):,} bytes")
    return 0


def figure1_data() -> dict[str, Any]:
    """All that the first page needs to draw its plane and to follow the pointer without the engine."""
    from relucert_core.experiments.showcase import load_run, showcase
    from relucert_core.figures.overlay import overlay_look
    from relucert_core.figures.theme import find_theme
    from relucert_core.planar import planar_complex
    from relucert_core.planar.preview import frames_data, preview_data
    from relucert_core.registry import certify

    first, second = showcase("figure-1a"), showcase("figure-1b")
    net = load_run(first.file).network
    plane = planar_complex(net, ((-_BOX, _BOX), (-_BOX, _BOX)))
    certificate: Any = certify(net, first.point)
    exact = float(plane.boundary_distance([first.point])[0][0])
    return {
        "run": first.file,
        "geometry": preview_data(plane),
        "frame": frames_data([plane], [0]),
        "points": {"a": list(first.point), "b": list(second.point)},
        "centre": list(_CENTRE),
        "certified": {
            "safe": down(certificate.radius),
            "limit": str(certificate.limit),
            "exact": down(exact),
        },
        "looks": {
            name: {kind: overlay_look(find_theme(name, kind == "present")) for kind in ("normal", "present")}
            for name in ("light", "dark")
        },
    }
