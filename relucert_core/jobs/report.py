"""A run as one self-contained HTML page, and as a LaTeX table: medians, certified accuracy, both bounds, times."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

import numpy as np

from relucert_core.citation import lines_of
from relucert_core.jobs.summary import MethodSummary, RunSummary, accuracies
from relucert_core.jobs.tasks import ATTACK
from relucert_core.words import bound, bound_in_tex, norm_in_tex

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")  # Okabe and Ito
_DASHES = ("", "7 4", "2 3", "9 3 2 3")
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 640, 360, 64, 46, 14, 26
_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1f2430}
table{border-collapse:collapse}td,th{padding:.25rem .8rem;text-align:right;border-bottom:1px solid #d5dae3}
td:first-child,th:first-child{text-align:left}svg{width:100%;height:auto}svg text{font:13px system-ui,sans-serif}
.table{overflow-x:auto}pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.8rem}@media(prefers-color-scheme:dark){body{background:#0f131a;color:#e9edf3}svg{background:#fff}}"""


def html_report(summary: RunSummary, made: Mapping[str, str], eps: Sequence[float] = ()) -> str:
    """The page. Nothing in it is loaded from elsewhere, and what came from a file is shown as text.

    made: how it was made and how to cite it (`citation.made_by`). eps: radii at which the accuracies are told.
    """
    title = html.escape(f"{summary.network}, {summary.norm}: {len(summary.indices)} images")
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Relucert: {title}</title>",
        f"<meta name=viewport content='width=device-width,initial-scale=1'><style>{_STYLE}</style>",
        f"<h1>{title}</h1><p>Radii and distances in {html.escape(summary.norm)}. A certificate's radius is proved: no "
        "adversarial example lies within it. An attack's distance is that of an adversarial example found.</p>",
        f"<h2>Methods</h2><div class=table>{_html_table(summary)}</div>",
        "<h2>Certified accuracy</h2><p>Share of the images that are read rightly and, within the radius, provably "
        "always (certificates) or as far as the attack could tell (attacks).</p>",
        _accuracy_chart(summary),
        *([f"<div class=table>{_html_accuracies(summary, eps)}</div>"] if eps else []),
        "<h2>Lower against upper bounds</h2><p>One dot an image: the best proved radius and the nearest adversarial "
        "example. On the diagonal the distance is known exactly.</p>",
        _pairs_chart(summary),
        f"<h2>How it was made, how to cite it</h2><pre>{html.escape(chr(10).join(lines_of(made)))}</pre></html>",
    ]
    return "\n".join(parts) + "\n"


def latex_table(summary: RunSummary, made: Mapping[str, str], eps: Sequence[float] = ()) -> str:
    """A `tabular` with booktabs rules: method, what it is, median, median time, images; one of accuracies at `eps`.

    made: how it was made and how to cite it (`citation.made_by`), in comments before it.
    """
    rows = [
        " & ".join(
            (
                _tex(m.method),
                m.guarantee,
                bound_in_tex(m.median, m.guarantee),
                bound_in_tex(_time(m)),
                str(len(m.values)),
            )
        )
        + r" \\"
        for m in summary.methods
    ]
    head = (
        *(f"% {line}".rstrip() for line in lines_of(made)),
        rf"% {_tex(summary.network)}, {summary.norm}, {len(summary.indices)} images; needs \usepackage{{booktabs}}",
        r"\begin{tabular}{llrrr}",
        r"\toprule",
        rf"method & kind & median ({norm_in_tex(summary.norm)}) & seconds an image & images \\",
        r"\midrule",
    )
    second = [
        r"\begin{tabular}{rrr}",
        r"\toprule",
        rf"radius ({norm_in_tex(summary.norm)}) & certified accuracy & attacked accuracy \\",
        r"\midrule",
        *(rf"{e:g} & {100 * low:.1f}\,\% & {100 * high:.1f}\,\% \\" for e, low, high in accuracies(summary, eps)),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join([*head, *rows, r"\bottomrule", r"\end{tabular}", *(second if eps else [])]) + "\n"


def text_table(summary: RunSummary) -> list[str]:
    """The methods as aligned lines of text."""
    head = ("method", "kind", f"median {summary.norm}", "s an image", "images")
    rows = [
        (m.method, m.guarantee, _plain(m.median, m.guarantee), _plain(_time(m)), str(len(m.values)))
        for m in summary.methods
    ]
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in (head, *rows)]


def _time(method: MethodSummary) -> float:
    known = method.seconds[np.isfinite(method.seconds)]
    return float(np.median(known)) if len(known) else math.nan


def _html_table(summary: RunSummary) -> str:
    head = f"<tr><th>method<th>kind<th>median ({html.escape(summary.norm)})<th>seconds an image (median)<th>images</tr>"
    rows = [
        f"<tr><td>{html.escape(m.method)}<td>{m.guarantee}<td>{_plain(m.median, m.guarantee)}<td>{_plain(_time(m))}"
        f"<td>{len(m.values)}</tr>"
        for m in summary.methods
    ]
    return f"<table>{head}{''.join(rows)}</table>"


def _html_accuracies(summary: RunSummary, eps: Sequence[float]) -> str:
    head = f"<tr><th>radius ({html.escape(summary.norm)})<th>certified accuracy<th>attacked accuracy</tr>"
    rows = [
        f"<tr><td>{e:g}<td>{100 * low:.1f} %<td>{100 * high:.1f} %</tr>" for e, low, high in accuracies(summary, eps)
    ]
    return f"<table>{head}{''.join(rows)}</table>"


def _plain(value: float, guarantee: str = "") -> str:
    return bound(value, guarantee, 3, power="e", unknown="not known")


def _tex(text: str) -> str:
    table = {c: rf"\{c}" for c in "&%$#_{}"} | {"\\": r"\textbackslash{}", "~": r"\~{}", "^": r"\^{}"}
    return "".join(table.get(c, c) for c in text)


def _accuracy_chart(summary: RunSummary) -> str:
    """Step curves over the radius: one a method, solid for certificates, dashed for attacks."""
    finite = np.concatenate([m.values[np.isfinite(m.values)] for m in summary.methods] or [np.zeros(0)])
    farthest = _end_of_axis(float(finite.max(initial=0.0)))
    lines, legend = [], []
    for i, m in enumerate(summary.methods):
        colour, dash = _COLOURS[i % len(_COLOURS)], _DASHES[(i // len(_COLOURS) + (m.kind == ATTACK)) % len(_DASHES)]
        path = _steps(np.sort(m.values[m.right]), len(m.values), farthest)
        lines.append(f"<path d='{path}' fill=none stroke='{colour}' stroke-width=2.5 stroke-dasharray='{dash}'/>")
        y = _TOP + 20 + 18 * i
        legend.append(
            f"<line x1={_WIDTH - 190} x2={_WIDTH - 160} y1={y} y2={y} stroke='{colour}' stroke-width=2.5 "
            f"stroke-dasharray='{dash}'/><text x={_WIDTH - 152} y={y + 4}>{html.escape(m.method)}</text>"
        )
    label = "Certified accuracy against the radius, one curve a method"
    return _chart(label, lines + legend, farthest, 1.0, f"radius ({summary.norm})", "share of images")


def _steps(values: np.ndarray, count: int, farthest: float) -> str:
    """The share of `count` images whose value exceeds the abscissa, as an SVG path."""
    share = len(values) / max(count, 1)
    path = [f"M{_x(0.0, farthest):.1f},{_y(share, 1.0):.1f}"]
    for passed, value in enumerate(values[np.isfinite(values)].tolist(), start=1):
        path.append(f"H{_x(value, farthest):.1f}V{_y((len(values) - passed) / max(count, 1), 1.0):.1f}")
    return "".join([*path, f"H{_x(farthest, farthest):.1f}"])


def _pairs_chart(summary: RunSummary) -> str:
    """A dot an image, with the diagonal."""
    known = np.isfinite(summary.best_upper) & np.isfinite(summary.best_lower)
    lower, upper = summary.best_lower[known], summary.best_upper[known]
    farthest = _end_of_axis(float(upper.max(initial=0.0)))
    dots = [
        f"<circle cx={_x(a, farthest):.1f} cy={_y(b, farthest):.1f} r=3 fill='{_COLOURS[0]}' fill-opacity=.6 />"
        for a, b in zip(upper.tolist(), lower.tolist())
    ]
    diagonal = (
        f"<line x1={_x(0, 1)} y1={_y(0, 1)} x2={_x(1, 1)} y2={_y(1, 1)} stroke='#808792' stroke-dasharray='4 4'/>"
    )
    left_out = int((~known).sum())
    note = f"<p>{left_out} images without a finite pair are left out.</p>" if left_out else ""
    label = "The best proved radius against the nearest adversarial example, one dot an image"
    across, up = f"nearest adversarial example ({summary.norm})", f"best proved radius ({summary.norm})"
    return _chart(label, [diagonal, *dots], farthest, farthest, across, up) + note


def _chart(label: str, content: Sequence[str], right: float, top: float, across: str, up: str) -> str:
    """An SVG with axes from 0 to `right` and from 0 to `top`."""
    ticks = []
    for i in range(6):
        x, y = _x(i / 5, 1), _y(i / 5, 1)
        ticks.append(f"<text x={x} y={_HEIGHT - _BOTTOM + 18} text-anchor=middle>{right * i / 5:.3g}</text>")
        ticks.append(f"<text x={_LEFT - 8} y={y + 4} text-anchor=end>{top * i / 5:.3g}</text>")
        ticks.append(f"<line x1={_LEFT} x2={_WIDTH - _RIGHT} y1={y} y2={y} stroke='#e3e7ee'/>")
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    names = (
        f"<text x={(_LEFT + _WIDTH) / 2} y={_HEIGHT - 6} text-anchor=middle>{html.escape(across)}</text>"
        f"<text transform='translate(14 {middle}) rotate(-90)' text-anchor=middle>{html.escape(up)}</text>"
    )
    return (
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role=img aria-label='{html.escape(label)}'>{''.join(ticks)}"
        f"{''.join(content)}{names}</svg>"
    )


def _end_of_axis(largest: float) -> float:
    """The end of an axis from 0 whose five parts are short numbers: 1, 2, 2.5 or 5 with a power of ten."""
    if not largest > 0:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(largest / 5))
    return 5 * unit * next((part for part in (1, 2, 2.5, 5) if 5 * part * unit >= largest), 10)


def _x(value: float, farthest: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * value / farthest


def _y(value: float, farthest: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * value / farthest
