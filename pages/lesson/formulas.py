"""The lesson's formulas with their numbers: records in, LaTeX out. No Streamlit, no computation but rounding."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from relucert_core.words import down

if TYPE_CHECKING:
    from relucert_core.experiments.lesson import LayerTrace, Line, Walk
    from relucert_core.experiments.lesson_mix import Mix


def num(value: float, digits: int = 3) -> str:
    """A number for reading: at most `digits` decimals and no trailing zeros."""
    if math.isinf(value):
        return r"\infty"
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:.0f}"
    return "0" if text in ("-0", "") else text


def matrix(rows: Any) -> str:
    """A matrix, or a vector as a column."""
    table = [list(row) if hasattr(row, "__len__") else [row] for row in rows]
    body = r" \\ ".join(" & ".join(num(float(x)) for x in row) for row in table)
    return rf"\left[\begin{{array}}{{{'r' * len(table[0])}}} {body} \end{{array}}\right]"


def tuple_of(values: Iterable[float]) -> str:
    """A vector on one line: (1, 0, 1)."""
    return "(" + r",\, ".join(num(float(v)) for v in values) + ")"


def root(squares: float) -> str:
    """The length whose square is given: a root of a whole number where it is one."""
    whole = round(squares)
    if abs(squares - whole) > 1e-9:
        return num(math.sqrt(squares))
    side = math.isqrt(whole)
    return str(side) if side * side == whole else rf"\sqrt{{{whole}}}"


def affine(row: Sequence[float], offset: float) -> str:
    """row.x + offset in letters: 2 x_1 - x_2 + 3."""
    parts = [_term(float(w), f"x_{i + 1}") for i, w in enumerate(row) if w]
    if offset or not parts:
        parts.append(_term(float(offset), ""))
    return " ".join(parts).removeprefix("+ ")


def _term(weight: float, letter: str) -> str:
    sign = "-" if weight < 0 else "+"
    size = num(abs(weight))
    return f"{sign} {letter if letter and size == '1' else size + letter}"


def aligned(rows: Iterable[str]) -> str:
    """Rows one under the other, aligned at their first &; without one, at the left."""
    lines = [row if row.split(r"\begin")[0].count("&") else f"& {row}" for row in rows]
    gap = "9pt" if any(r"\frac" in line for line in lines) else "6pt"  # so that a root does not touch the next fraction
    return r"\begin{aligned} " + rf" \\[{gap}] ".join(lines) + r" \end{aligned}"


def far(value: float) -> str:
    """A distance for reading: four decimals, so that it can be told from a radius that was rounded down."""
    return num(value, 4)


def far_or_never(value: float) -> str:
    """As `far`, in plain words: ∞ where nothing is reached at all."""
    return "∞" if math.isinf(value) else far(value)


def network(walk: Walk, weights: Sequence[Any], biases: Sequence[Any]) -> list[str]:
    """f with all its weights, and its answer at u."""
    pieces = [
        rf"\mathbf W^{{({i})}}={matrix(w)}\quad \mathbf b^{{({i})}}={matrix(b)}"
        for i, (w, b) in enumerate(zip(weights, biases, strict=True), start=1)
    ]
    return [
        aligned(
            (
                r"f(\mathbf x)=\mathbf W^{(3)}\,\mathrm{ReLU}\big(&\mathbf W^{(2)}\,\mathrm{ReLU}("
                r"\mathbf W^{(1)}\mathbf x+\mathbf b^{(1)})",
                r"&+\mathbf b^{(2)}\big)+\mathbf b^{(3)}",
            )
        ),
        *pieces,
        rf"f(\mathbf u)={tuple_of(walk.logits)}",
    ]


def line_equations(names: str, C: Any, d: Any) -> str:
    """One equation for each neuron's line."""
    return aligned(
        rf"\textbf{{{name}}}:\quad & {affine(row, offset)} = 0" for name, row, offset in zip(names, C, d, strict=True)
    )


def values(walk: Walk) -> list[str]:
    """z, theta and a of the first layer."""
    layer = walk.layers[0]
    return [
        _steps(
            r"\mathbf z^{(1)}",
            r"\mathbf W^{(1)}\mathbf u+\mathbf b^{(1)}",
            rf"{matrix(layer.C)}{matrix(walk.point)}+{matrix(layer.d)}={matrix(layer.values)}",
        ),
        rf"\theta^{{(1)}}=[\mathbf z^{{(1)}}\ge 0]={tuple_of(layer.on)}",
        rf"\mathbf a^{{(1)}}=\theta^{{(1)}}\odot\mathbf z^{{(1)}}={tuple_of(layer.hidden)}",
    ]


def _steps(left: str, *right: str) -> str:
    """left = right[0] = right[1] = ..., one under the other."""
    return aligned([rf"{left}={right[0]}", *(rf"={part}" for part in right[1:])])


def flipped(layer: LayerTrace, number: int) -> list[str]:
    """P and q of one layer by diag(2 theta - 1)."""
    signs = rf"\mathrm{{diag}}{tuple_of(2.0 * layer.on - 1)}"
    return [
        _steps(
            rf"\mathbf P^{{({number})}}",
            rf"\mathrm{{diag}}(2\theta^{{({number})}}-1)\,\mathbf W^{{({number})}}",
            rf"{signs}{matrix(layer.C)}={matrix(layer.P)}",
        ),
        rf"\mathbf q^{{({number})}}={signs}{matrix(layer.d)}={matrix(layer.q)}",
        rf"\{{\mathbf x:\ \mathbf P^{{({number})}}\mathbf x+\mathbf q^{{({number})}}\ge 0\}}",
    ]


def next_map(walk: Walk, weight: Any, bias: Any, number: int) -> list[str]:
    """C <- W diag(theta) C and d <- W diag(theta) d + b behind hidden layer `number`."""
    layer = walk.layers[number - 1]
    last = number == len(walk.layers)
    C, d = (walk.region.C, walk.region.d) if last else (walk.layers[number].C, walk.layers[number].d)
    off = rf"\mathrm{{diag}}{tuple_of(layer.on)}"
    rule = rf"\mathbf W^{{({number + 1})}}\mathrm{{diag}}(\theta^{{({number})}})\,"
    before = (r"\mathbf W^{(1)}", r"\mathbf b^{(1)}") if number == 1 else (r"\mathbf C", r"\mathbf d")
    return [
        _steps(r"\mathbf C", rf"{rule}{before[0]}", rf"{matrix(weight)}{off}{matrix(layer.C)}", matrix(C)),
        _steps(r"\mathbf d", rf"{rule}{before[1]}+\mathbf b^{{({number + 1})}}={matrix(d)}"),
    ]


def region(walk: Walk) -> list[str]:
    """S(theta) as P x + q >= 0, with theta."""
    second = walk.layers[1]
    return [
        rf"\theta^{{(2)}}=[\mathbf z^{{(2)}}\ge 0]=[{tuple_of(second.values)}\ge 0]={tuple_of(second.on)}",
        rf"S(\theta)=\left\{{\mathbf x:\ {matrix(walk.region.P)}\mathbf x+{matrix(walk.region.q)}\ge 0\right\}}",
    ]


def at_point(walk: Walk) -> str:
    """f(u) = C u + d."""
    return rf"f(\mathbf u)=\mathbf C\mathbf u+\mathbf d={tuple_of(walk.logits)}"


def algorithm(walk: Walk) -> list[str]:
    """Algorithm 1 as it runs at u."""
    first, second = walk.layers
    results = ((first, second.C, second.d), (second, walk.region.C, walk.region.d))
    begin = r"\text{start:}\quad \mathbf a=\mathbf u,\quad \mathbf C=\mathbf W^{(1)},\quad \mathbf d=\mathbf b^{(1)}"
    return [begin, *(_loop(i, *turn) for i, turn in enumerate(results, start=1))]


def _loop(i: int, layer: LayerTrace, C: Any, d: Any) -> str:
    """One turn of Algorithm 1's loop."""
    on = rf"\mathbf W^{{({i + 1})}}\mathrm{{diag}}(\theta)\,"
    return aligned(
        (
            rf"i={i}:\quad\mathbf z={tuple_of(layer.values)},\quad \theta={tuple_of(layer.on)}",
            rf"\text{{append }}\mathrm{{diag}}{tuple_of(2.0 * layer.on - 1)}\,(\mathbf C,\mathbf d)"
            r"\text{ to }(\mathbf P,\mathbf q)",
            rf"\mathbf C\leftarrow {on}\mathbf C={matrix(C)}",
            rf"\mathbf d\leftarrow {on}\mathbf d+\mathbf b^{{({i + 1})}}={tuple_of(d)}",
        )
    )


def face_distances(walk: Walk) -> list[str]:
    """P_min with every fraction."""
    rows = [rf"\textbf{{{line.name}}}:\quad & {_face_distance(line, walk.point)}" for line in walk.faces]
    nearest = walk.nearest_face
    return [
        aligned(rows),
        rf"P_{{\min}}=\min_i\frac{{|\mathbf P_i\mathbf u+\mathbf q_i|}}{{\|\mathbf P_i\|_2}}={far(nearest.distance)}",
    ]


def _face_distance(line: Line, point: Any) -> str:
    if line.squares == 0:
        return r"\text{its row is 0: it limits nothing}"
    return rf"\frac{{|{_inner(line, point)}|}}{{{root(line.squares)}}}={far(line.distance)}"


def _inner(line: Line, point: Any) -> str:
    products: list[str] = []
    for w, x in zip(line.row, point, strict=True):
        if w:
            here = num(float(x)) if x >= 0 else f"({num(float(x))})"
            products.append(
                f"{num(float(w))}\\cdot{here}" if not products or w < 0 else f"+{num(float(w))}\\cdot{here}"
            )
    if line.offset:
        products.append(f"{'+' if line.offset > 0 and products else ''}{num(line.offset)}")
    return "".join(products) or "0"


def rival_distances(walk: Walk) -> list[str]:
    """d_min with every fraction."""
    k = walk.prediction
    rows = [rf"\text{{class }}{line.name}:\quad & {_rival_distance(line, k)}" for line in walk.rivals]
    rule = rf"d_{{\min}}=\min_{{j\ne {k}}}\frac{{|f_{k}-f_j|}}{{\|\mathbf C_{k}-\mathbf C_j\|_2}}"
    return [aligned(rows), f"{rule}={far(walk.nearest_rival.distance)}"]


def _rival_distance(line: Line, k: int) -> str:
    j = line.name
    if line.squares == 0:
        return rf"\mathbf C_{k}=\mathbf C_{j}\text{{: their scores never meet here}}"
    rule = rf"\frac{{f_{k}-f_{j}}}{{\|\mathbf C_{k}-\mathbf C_{j}\|_2}}"
    return rf"{rule}=\frac{{{num(line.value)}}}{{{root(line.squares)}}}={far(line.distance)}"


def safe_radius(walk: Walk) -> list[str]:
    """Theorem 3."""
    numbers = rf"\min({far(walk.nearest_face.distance)},\ {far(walk.nearest_rival.distance)})"
    return [
        aligned((r"\|\mathbf u-\mathbf u_0\|_2\ &\ge\ \min(P_{\min},\ d_{\min})", rf"&=\ {numbers}")),
        rf"\text{{certified, rounded down:}}\quad {down(walk.certificate.radius, 4)}",
    ]


def truth(walk: Walk) -> list[str]:
    """The exact distance against the safe radius."""
    end = r"d_{\min}" if walk.reached else down(walk.certificate.radius, 4)
    relation = "=" if walk.reached else r"\ \ge\ "
    found = [rf"\|\mathbf u-\mathbf u_0\|_2={far(walk.exact)}{relation}{end}"]
    return found if walk.exact_point is None else [rf"\mathbf u_0={tuple_of(walk.exact_point)}", *found]


def pattern_minimum(mix: Mix) -> list[str]:
    """Formula (1) of the paper: the minimum over all patterns."""
    rows = []
    for one in mix.patterns[:3]:
        kind = "its own pattern" if one.own else "" if one.real else "no input has it"
        value, size = num(abs(one.line.value)), root(one.line.squares)
        note = rf"\ \text{{({kind})}}" if kind else ""
        rows.append(
            rf"\theta={tuple_of(one.pattern)}:\quad & \frac{{{value}}}{{{size}}}={far(one.line.distance)}{note}"
        )
    k, j = _letters(mix)
    return [
        rf"\min_{{\theta\in\{{0,1\}}^3}}\frac{{|(\mathbf C_{k}-\mathbf C_{j})\,\mathbf u+\mathbf d_{k}-\mathbf d_{j}|}}"
        rf"{{\|\mathbf C_{k}-\mathbf C_{j}\|_2}}={far(mix.patterns[0].line.distance)}",
        aligned(rows),
    ]


def _letters(mix: Mix) -> tuple[str, str]:
    return "DE"[mix.prediction], "DE"[mix.rival]


def relaxation(mix: Mix) -> list[str]:
    """Theorem 4: numerator and denominator, at u's own pattern and relaxed."""
    k, j = _letters(mix)
    products = zip(mix.weights * mix.values, "ABC", strict=True)
    terms = "".join(f"{'+' if product >= 0 else ''}{num(float(product))}\\,\\theta_{n}" for product, n in products)
    size = num(mix.weight_norm * mix.spectral, 2)
    here, relaxed = num(mix.here), num(mix.relaxed)
    real = rf"\frac{{{here}}}{{\|\mathbf C_{k}-\mathbf C_{j}\|_2}}=\frac{{{here}}}{{{root(mix.own_line.squares)}}}"
    bound = rf"\frac{{{relaxed}}}{{\|\mathbf c\|_2\,\|\mathbf W^{{(1)}}\|_2}}=\frac{{{relaxed}}}{{{size}}}"
    return [
        rf"z_{k}-z_{j}={terms.removeprefix('+')}{'+' if mix.gap >= 0 else ''}{num(mix.gap)}",
        aligned(
            (
                rf"\text{{at u: }}\theta={tuple_of(mix.on)}:\ \ & {real}={far(mix.own_line.distance)}",
                rf"\text{{mix: }}\theta={tuple_of(mix.mix)}:\ \ & {bound}={far(mix.quotient)}",
            )
        ),
        rf"\mathbf c=\mathbf W^{{(2)}}_{k}-\mathbf W^{{(2)}}_{j}={tuple_of(mix.weights)}",
        rf"\|\mathbf c\|_2\,\|\mathbf W^{{(1)}}\|_2={num(mix.weight_norm)}\cdot {num(mix.spectral)}={size}",
    ]


def relation(walk: Walk) -> list[str]:
    """Every neuron as a relation, and what is asked of the points that satisfy them all."""
    label = walk.prediction
    return [
        r"z=\max(0,a)\iff z\,(z-a)=0,\quad z\ge 0,\quad z\ge a",
        aligned(
            (
                r"\min\ &\|\mathbf x-\mathbf u\|_2^2\quad\text{such that}",
                r"&\mathbf a^{(1)}=\mathbf W^{(1)}\mathbf x+\mathbf b^{(1)},\quad"
                r"\mathbf a^{(2)}=\mathbf W^{(2)}\mathbf z^{(1)}+\mathbf b^{(2)},",
                r"&\mathbf z\odot(\mathbf z-\mathbf a)=0,\quad \mathbf z\ge 0,\quad \mathbf z\ge\mathbf a,",
                rf"&f_j(\mathbf x)=f_{label}(\mathbf x),\quad\text{{for each }}j\ne {label}\text{{ in turn}}",
            )
        ),
    ]
