"""The page "Beyond" in a few lines of Python: code that runs as it is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.shared import own
from pages.shared.digit import packed
from relucert_core.words import norm_in_code

if TYPE_CHECKING:
    from pages.beyond.state import Scene

_WORDS = "from relucert_core.words import down, up\n"
_BEST = """best = rc.best_known(net, x)
print(best)
"""
_SEARCH = """
for step in rc.search(net, x, norm={norm}, method="{method}", max_seconds={seconds}):
    far = "exact" if step.exact else f"fooled at {{up(step.upper)}}"
    print(f"{{step.seconds:6.2f}} s: safe to {{down(step.lower)}}, {{far}}, {{step.regions}} worked through")
print(step.status)
"""
_PLANE = """
u = best.witness - x if best.witness is not None else rc.mnist_sample()[0][1] - x
u = u / np.linalg.norm(u)
w = {third}
v = w - u * (u @ w)
v = v / np.linalg.norm(v)
plane = rc.planar_complex(rc.slice_network(net, x, u, v), box=(({low}, {high}), ({low}, {high})))
print(f"{{len(plane):,}} polyhedra in this square of the plane")
"""
_TOY = """
plane = rc.planar_complex(net, box=((x[0] {low:+g}, x[0] {high:+g}), (x[1] {low:+g}, x[1] {high:+g})))
print(f"{{len(plane):,}} polyhedra in this square")
"""


def beyond_code(scene: Scene, third: str, number: int, *, half: float, seconds: int) -> str:
    """The search and the slice of a scene; `third`, `number`: the third point of the plane, and its image or seed."""
    search = _SEARCH.format(norm=norm_in_code(scene.norm), method=scene.method, seconds=seconds)
    if scene.digit is None:
        return _toy_head(scene) + search + _TOY.format(low=-half, high=half)
    directions = {
        "Another digit": f"rc.mnist_sample()[0][{number}] - x",
        "Random direction": f"np.random.default_rng({number}).standard_normal(784)",
        "Nearest face": 'rc.certify(net, x, method="simplex", norm=2).nearest - x',
    }
    best = _BEST if scene.norm == 2 else _BEST.replace("x)", f"x, norm={norm_in_code(scene.norm)})")
    return _digit_head(scene) + best + _PLANE.format(third=directions[third], low=-half, high=half) + search


def _digit_head(scene: Scene) -> str:
    digit = scene.digit
    shipped = digit is not None and digit.index is not None
    extra = "" if shipped or digit is None else "from relucert_core.datasets.packing import unpack_digit\n"
    extra += own.imports(own.reading_code(scene.model))
    point = f"rc.mnist_sample()[0][{scene.name}]"
    if not shipped and digit is not None:
        point = f'unpack_digit("{packed(digit)}")'
    imports = f"import numpy as np\nimport relucert_core as rc\n{extra}{_WORDS}"
    return f"{imports}\nnet = {own.reading_code(scene.model)}\nx = {point}\n"


def _toy_head(scene: Scene) -> str:
    name = scene.model.removeprefix("toy-")
    return (
        "import numpy as np\nimport relucert_core as rc\n"
        f"from relucert_core.experiments.showcase import SHOWCASE, load_run\n{_WORDS}"
        f'\nnet = load_run(SHOWCASE["{name}"].file).snapshots[-1].network\nx = np.array({scene.point.tolist()})\n'
    )
