"""`python -m relucert_core certify`: radii of many images, one JSON line an image and method."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from relucert_core.cli.inputs import DATA_HELP, add_image_arguments, images_asked_for, open_network
from relucert_core.cli.property import answer
from relucert_core.cli.report import parsed_eps
from relucert_core.cli.run_options import add_run_arguments, perform
from relucert_core.errors import InvalidInput, Unsupported

if TYPE_CHECKING:
    from relucert_core.jobs.tasks import Method

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
    add_common(parser, data_required=False)
    parser.add_argument("--method", default="simplex", help="certificates, separated by commas (default: simplex)")
    parser.add_argument("--attack", default="", help="attacks, separated by commas (default: none)")
    parser.add_argument("--max-seconds", type=float, help="time limit an image for the anytime methods")
    parser.add_argument("--eps", metavar="E,E", help="print certified and attacked accuracy at these radii")
    parser.add_argument("--use-labels", action="store_true", help="certify against the true labels (wrong: radius 0)")
    parser.add_argument(
        "--property",
        metavar="FILE.vnnlib",
        help="in place of --data: answer a VNN-LIB property of local robustness with sat, unsat or unknown",
    )
    parser.set_defaults(run=run)


def add_common(parser: argparse.ArgumentParser, *, data_required: bool = True) -> None:
    """The arguments that `certify` and `attack` share."""
    add_image_arguments(parser, data_required=data_required)
    parser.add_argument("--first", type=positive, metavar="N", help="only the first N images")
    parser.add_argument("--norm", default="2", help="1, 2 or inf (default: 2)")
    add_run_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Certify and attack; 0, or 1 when pictures had to be left out."""
    from relucert_core.norms import check_norm
    from relucert_core.registry import CERTIFICATES, supports

    if arguments.property is not None:
        return answer(arguments)
    if arguments.data is None:
        raise InvalidInput(f"Give --data ({DATA_HELP}), or --property FILE.vnnlib.")
    net, norm = open_network(arguments.model, arguments), check_norm(arguments.norm)
    methods = split_names(arguments.method, CERTIFICATES, "certificate")
    attacks = split_attacks(arguments.attack)
    for method in methods:
        reason = supports(CERTIFICATES[method], net, norm)
        if reason:
            raise Unsupported(reason)
    images = images_asked_for(arguments, net)
    if arguments.use_labels and images.labels is None:
        raise InvalidInput("--use-labels needs data with labels; these images have none.")
    eps = parsed_eps(arguments.eps) if arguments.eps else []
    if eps and arguments.out is None:
        raise InvalidInput("--eps needs --out FILE: the accuracies are counted from its lines.")
    chosen = [certificate_method(m, norm, arguments) for m in methods]
    chosen += [attack_method(m, norm, arguments.use_labels, arguments.points) for m in attacks]
    settings = {"use_labels": arguments.use_labels, "max_seconds": arguments.max_seconds, "points": arguments.points}
    code = perform(arguments, net, images, chosen, settings)
    for line in _accuracies(arguments, eps):
        print(line)
    return code


def certificate_method(name: str, norm: float, arguments: argparse.Namespace) -> Method:
    """A certificate as the run's record; an anytime method is worked out one image a task."""
    from relucert_core.jobs.tasks import BLOCK, CERTIFICATE, Method
    from relucert_core.registry import CERTIFICATES

    known = CERTIFICATES[name].options
    given = {} if arguments.max_seconds is None else {"max_seconds": arguments.max_seconds}
    options = {key: value for key, value in given.items() if key in known}
    block = 1 if "max_seconds" in known else BLOCK
    return Method(CERTIFICATE, name, norm, arguments.use_labels, options, block, arguments.points)


def attack_method(name: str, norm: float, use_labels: bool, witnesses: bool, **options: Any) -> Method:
    """An attack as the run's record."""
    from relucert_core.jobs.tasks import ATTACK, BLOCK, Method

    return Method(ATTACK, name, norm, use_labels, options, BLOCK, witnesses)


def _accuracies(arguments: argparse.Namespace, eps: list[float]) -> list[str]:
    """The lines that --eps prints, from all that --out holds."""
    if not eps:
        return []
    from relucert_core.cli.report import accuracy_lines
    from relucert_core.cli.run_options import lines_of
    from relucert_core.jobs.convert import whole_lines
    from relucert_core.jobs.summary import summarise

    return accuracy_lines(summarise(whole_lines([lines_of(arguments)])), arguments.eps)


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


def positive(text: str) -> int:
    """A whole number of 1 or more, for argparse."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("give a number of 1 or more")
    return value
