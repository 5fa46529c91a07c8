"""`python -m relucert_core certify`: radii of many images, one JSON line an image and method."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from relucert_core.cli.inputs import DATA_HELP, Images, for_network, open_network, read_images
from relucert_core.cli.lines import line_writer, point_digest, write, written
from relucert_core.cli.progress import ProgressBar
from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.network import Network

_CHUNK = 64
_EPILOG = """Each line of FILE.jsonl: image, label, method, kind ("certificate" or "attack"), norm, radius or distance,
guarantee, status, prediction, limit, upper, parts, seconds, run. A radius of null with status "ok" is infinite. The
same command goes on where it was stopped. For a network that knows other classes than the ten digits the labels are
translated, and images that belong to no class of it (the digit 5 for mnist-gt5-1024) are left out. Example:
  python -m relucert_core certify --model mnist-1024-512 --data mnist-sample --first 20 \\
      --method simplex --attack ddn --norm 2 --out radii.jsonl"""


def add_parser(subparsers: Any) -> None:
    """Add `certify` to the command line."""
    parser = subparsers.add_parser(
        "certify",
        help="certified radii (lower bounds), and attacks beside them",
        description="Certify images: the radius within which no adversarial example can exist.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common(parser)
    parser.add_argument("--method", default="simplex", help="certificates, separated by commas (default: simplex)")
    parser.add_argument("--attack", default="", help="attacks, separated by commas (default: none)")
    parser.add_argument("--max-seconds", type=float, help="time limit an image for the anytime methods")
    parser.add_argument("--use-labels", action="store_true", help="certify against the true labels (wrong: radius 0)")
    parser.set_defaults(run=run)


def add_common(parser: argparse.ArgumentParser) -> None:
    """The arguments that `certify` and `attack` share."""
    parser.add_argument("--model", required=True, metavar="NAME|FILE", help="a shipped network or a .safetensors file")
    parser.add_argument("--data", required=True, metavar="DATA", help=DATA_HELP)
    parser.add_argument("--folder", type=Path, help="MNIST's folder (default: RELUCERT_MNIST, else the user's cache)")
    parser.add_argument("--first", type=_positive, metavar="N", help="only the first N images")
    parser.add_argument("--norm", default="2", help="1, 2 or inf (default: 2)")
    parser.add_argument("--out", type=Path, metavar="FILE.jsonl", help="append here (default: standard output)")


def run(arguments: argparse.Namespace) -> int:
    """Certify and attack; 0, or 1 when pictures had to be left out."""
    from relucert_core.norms import check_norm
    from relucert_core.registry import CERTIFICATES, supports

    net, norm = open_network(arguments.model), check_norm(arguments.norm)
    methods = split_names(arguments.method, CERTIFICATES, "certificate")
    attacks = split_attacks(arguments.attack)
    for method in methods:
        reason = supports(CERTIFICATES[method], net, norm)
        if reason:
            raise Unsupported(reason)
    images = for_network(read_images(arguments.data, arguments.folder), arguments.model).head(arguments.first)
    if arguments.use_labels and images.labels is None:
        raise InvalidInput("--use-labels needs data with labels; these images have none.")
    options = {"max_seconds": arguments.max_seconds} if arguments.max_seconds is not None else {}
    jobs = [certificate_job(net, m, norm, arguments.use_labels, options) for m in methods]
    jobs += [attack_job(net, m, norm, arguments.use_labels) for m in attacks]
    settings = (net.digest, norm, arguments.use_labels, arguments.max_seconds)
    return run_jobs(images, jobs, arguments.out, settings)


Job = tuple[str, Callable[[np.ndarray, "np.ndarray | None"], list[dict[str, Any]]]]


def certificate_job(net: Network, method: str, norm: float, use_labels: bool, options: dict[str, Any]) -> Job:
    """The name of a certificate and the function (points, labels) -> one dictionary a point."""
    from relucert_core.registry import CERTIFICATES, certify

    own = {name: value for name, value in options.items() if name in CERTIFICATES[method].options}

    def work(points: np.ndarray, labels: np.ndarray | None) -> list[dict[str, Any]]:
        batch = certify(net, points, method=method, norm=norm, label=labels if use_labels else None, **own)
        return [
            {
                "kind": "certificate",
                "radius": c.radius,
                "guarantee": c.guarantee,
                "status": c.status,
                "prediction": c.prediction,
                "limit": None if c.limit is None else str(c.limit),
                "upper": c.upper,
                "ratio": c.ratio,
                "parts": dict(c.parts),
                "seconds": c.seconds,
            }
            for c in batch
        ]

    return method, work


def attack_job(net: Network, method: str, norm: float, use_labels: bool, **options: Any) -> Job:
    """The name of an attack and the function (points, labels) -> one dictionary a point."""
    from relucert_core.attacks import attack

    def work(points: np.ndarray, labels: np.ndarray | None) -> list[dict[str, Any]]:
        found = attack(net, points, method=method, norm=norm, label=labels if use_labels else None, **options)
        return [
            {
                "kind": "attack",
                "distance": a.distance,
                "success": a.success,
                "prediction": a.prediction,
                "attacked": a.label,
                "seconds": a.seconds,
            }
            for a in found
        ]

    return method, work


def run_jobs(images: Images, jobs: list[Job], out: Path | None, settings: tuple[Any, ...]) -> int:
    """Run every job on every image that `out` does not hold yet, a chunk at a time; the exit code."""
    from relucert_core.norms import norm_name

    identity = hashlib.sha256(repr(settings).encode()).hexdigest()[:12]
    keys = [f"{name}#{point_digest(point)}" for name, point in zip(images.names, images.points)]
    done = written(out, identity)
    bar, total, count = ProgressBar(), len(keys) * len(jobs), len(done)
    with line_writer(out) as stream:
        for start in range(0, len(keys), _CHUNK):
            for method, work in jobs:
                rows = [i for i in range(start, min(start + _CHUNK, len(keys))) if (keys[i], method) not in done]
                if not rows:
                    continue
                labels = None if images.labels is None else images.labels[rows]
                answers = work(images.points[rows], labels)
                common = {"method": method, "norm": norm_name(settings[1]), "run": identity}
                write(stream, [_line(images, keys, i, {**common, **a}) for i, a in zip(rows, answers)])
                count += len(rows)
                if out is not None:
                    bar.show(min(count / total, 1.0), f"{count} of {total}, {method}")
    bar.close()
    return 1 if images.skipped else 0


def _line(images: Images, keys: list[str], i: int, answer: dict[str, Any]) -> dict[str, Any]:
    return {"image": keys[i], "label": None if images.labels is None else int(images.labels[i]), **answer}


def split_attacks(text: str) -> list[str]:
    """The attacks named in `text`; attacks are imported only when there are any."""
    if not text:
        return []
    from relucert_core.attacks import ATTACKS

    return split_names(text, ATTACKS, "attack")


def split_names(text: str, registry: Any, what: str) -> list[str]:
    """The comma-separated names, each checked against the registry. Raises InvalidInput."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in registry:
            raise InvalidInput(f"There is no {what} {name!r}; there are {', '.join(registry)}.")
    return list(dict.fromkeys(names))


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("give a number of 1 or more")
    return value
