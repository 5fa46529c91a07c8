"""The playground's "same in a few lines of Python": code that runs as it is printed. No Streamlit."""

from __future__ import annotations

from typing import Any

from pages.playground.setup import Setup

_TRAINED = """from relucert_core.training.toy import ToySettings, train_toy

{points}
run = train_toy(points, labels, ToySettings({settings}))
net = {network}
"""
_STORED = """from relucert_core.experiments.showcase import load_run

net = {network}
"""
_REST = """
u = ({x!r}, {y!r})
plane = rc.planar_complex(net, box=((-1.25, 1.25), (-1.25, 1.25)))
cert = rc.certify(net, u)
adv = rc.attack(net, u, method="deepfool")
distance = rc.planar_distance(net, u)
print(f"{{len(plane.polygons)}} regions; class {{cert.prediction}}")
print(f"safe to {{down(cert.radius)}}, limited by {{cert.limit}}")
print(f"true distance {{down(distance.lower)}}, attack at {{up(adv.distance)}}")
"""


def plane_code(setup: Setup, file: str | None, epoch: int | None, point: tuple[float, float], *, uploaded: bool) -> str:
    """The code of the picture: `file` names the stored run of a preset; `epoch` a moment before the end, or None."""
    head = "import relucert_core as rc\nfrom relucert_core.words import down, up\n"
    if uploaded:
        body = '\nnet = rc.load_network("network.safetensors")  # the file that you gave\n'
    elif file is not None:
        body = _STORED.format(network=_network(f'load_run("{file}")', epoch))
    else:
        body = _trained(setup, epoch)
    return head + body + _REST.format(x=float(point[0]), y=float(point[1]))


def _trained(setup: Setup, epoch: int | None) -> str:
    if not setup.trainable:  # the start of a network of so many classes
        extra, points = "", f"points, labels = [(0.0, 0.0), (1.0, 1.0)], [0, {setup.trained_on[1].max()}]"
        epoch = 0
    elif setup.own:
        extra = "from relucert_core.datasets.points_word import unpack_points\n"
        points = f'points, labels = unpack_points("{setup.own}")'
    else:
        extra = "from relucert_core.datasets.toy import toy_dataset\n"
        points = (
            f'points, labels = toy_dataset("{setup.dataset}")(size={setup.size}, noise={setup.noise!r}, '
            f"seed={setup.data_seed}, classes={setup.classes})"
        )
    body = _TRAINED.format(points=points, settings=_settings(setup), network=_network("run", epoch))
    return extra + body


def _network(run: str, epoch: int | None) -> str:
    if epoch is None:
        return f"{run}.network"
    return f"[s.network for s in {run}.snapshots if s.epoch <= {epoch}][-1]"


def _settings(setup: Setup) -> str:
    """Only what differs from the defaults."""
    from relucert_core.training.toy import ToySettings

    blank: Any = ToySettings()
    given = vars(setup.settings)
    return ", ".join(f"{name}={value!r}" for name, value in given.items() if value != getattr(blank, name))
