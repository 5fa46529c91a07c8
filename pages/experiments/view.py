"""What the experiments page shows of a record: pictures, sentences, tables and files. It computes nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages.experiments import runs
from pages.shared.charts import Numbers, behind_label
from pages.shared.charts import draw as draw_chart
from relucert_core.citation import made_by
from relucert_core.experiments.catalogue import FIGURES, shown_methods
from relucert_core.experiments.records import LOWER, Panel, Record, provenance, to_csv, to_json
from relucert_core.experiments.summaries import Summary, overtaken, proved_shares, summarise
from relucert_core.experiments.tables import accuracy_table, claims_table, rounded, summary_table
from relucert_core.figures.proved_share import proved_share
from relucert_core.figures.reports import pictures_of
from relucert_core.words import NONE, down, duration

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from relucert_core.figures.theme import Theme

FIGURE, SHARES = "the main figure", "the proved shares"
ACCURACY_RADII = (0.001, 0.01, 0.1, 0.3, 1.0)
_BESIDE = 2  # figures: a third one would leave none of them room


@dataclass(frozen=True)
class View:
    """How a record is looked at: as certified accuracy, with each method sorted by itself, and how high (pixels)."""

    accuracy: bool
    sorted_alone: bool
    height: int = 450


def figures_of(record: Record, theme: Theme, view: View) -> dict[str, go.Figure]:
    """File name -> figure, in the order in which they are shown."""
    return pictures_of(record, theme, accuracy=view.accuracy, sorted_alone=view.sorted_alone, height=view.height)


def draw(figures: dict[str, go.Figure], captions: list[str], words: str) -> None:
    """The figures in pairs (one below the other on a phone), each with its line."""
    shown = list(zip(figures.items(), captions, strict=True))
    for pair in (shown[i : i + _BESIDE] for i in range(0, len(shown), _BESIDE)):
        columns = st.columns(min(_BESIDE, len(shown)), gap="medium")
        for column, ((name, figure), caption) in zip(columns, pair, strict=False):
            with column:
                alt = f"{caption}. {words}"
                draw_chart(figure, key=f"experiments_{name}", alt=alt, behind=behind_label(FIGURE))
                st.caption(caption)


def proved(records: Sequence[Record], theme: Theme) -> None:
    """How much of the distance the methods prove, on all networks of these records."""
    panels = [panel for record in records for panel in record.panels]
    methods = tuple(dict.fromkeys(name for record in records for name in shown_methods(record)))
    shares = {panel.network: found for panel in panels if (found := proved_shares(panel, methods))}
    if not shares:
        return
    last = {network: max(found.values()) for network, found in shares.items()}
    best = {m: max(found.get(m, 0.0) for found in shares.values()) for found in shares.values() for m in found}
    order = sorted(best, key=best.__getitem__)
    titles = {s.method: s.title for panel in panels for s in panel.series} | {p.network: p.title for p in panels}
    st.markdown("## How much of the distance can be proved")
    words = "; ".join(f"{titles[network]}: {100 * share:.0f} %" for network, share in last.items())
    columns = {"Method": [titles[m] for m in reversed(order)]} | {
        titles[network]: [f"{down(100 * found[m])} %" if m in found else NONE for m in reversed(order)]
        for network, found in shares.items()
    }
    made = functools.partial(made_by, "; ".join(record.header.command for record in records))
    draw_chart(
        proved_share(shares, titles, order, theme), key="experiments_proved", what=SHARES,
        behind=Numbers(columns, file="relucert-proved-shares", about=made),
        alt=f"The median share of the nearest attack's distance that the best method proves. {words}",
    )  # fmt: skip
    st.caption(
        "The median over the test images that every method was run on, from the stored runs. No proof can reach beyond "
        "the nearest attack; where the attack is not the nearest point there is, 100 % cannot be reached."
    )


def captions(record: Record) -> list[str]:
    """A line under each figure."""
    if record.experiment not in FIGURES:
        lines = ["Time for one image: the median and the quartiles"]
        return lines + (["Radius reached: the median and the quartiles"] if any(p.radii for p in record.panels) else [])
    return [f"{panel.network}: {panel.title}; {panel.weights}" for panel in record.panels]


def sentence(record: Record, *, accuracy: bool) -> str:
    """The one line that says what the picture shows."""
    if record.experiment not in FIGURES:
        return _time_words(record)
    panel = record.panels[0]
    lower, upper = _few(panel)
    if accuracy:
        return (
            f"Left of a blue line lies what that method proves, right of the vermilion ones what attacks break: "
            f"of {len(panel.images)} test images, the share that stays right."
        )
    if lower is None or upper is None:
        return f"{len(panel.images)} test images, each with the bounds of every method."
    return (
        f"Half of the {len(panel.images)} digits are proved safe to **{rounded(lower.values.median, LOWER)}** or more "
        f"by their region alone, and half are fooled at **{rounded(upper.values.median, upper.kind)}** or less "
        f"({record.norm})."
    )


def remark(record: Record, *, accuracy: bool) -> str:
    """One more sentence: what one should not overlook."""
    if record.experiment not in FIGURES:
        random = " and ".join(panel.title for panel in record.panels if not panel.radii)
        note = f" The weights of {random} are random: only the time means something there." if random else ""
        both = (
            "so both stand here" if any(panel.radii for panel in record.panels) else "which only trained networks show"
        )
        return f"A time says little without the radius that it buys, {both}.{note}"
    if accuracy:
        return "The gap between the two colours is what nobody has proved or broken."
    words = "Every mark is one image and one method: safe radius (blue) below, attack distance (vermilion) above. "
    return words + _zero_words(record.panels[0]) + _gain_words(record) + _first_words(record.panels[0])


def tables(record: Record, *, accuracy: bool) -> None:
    """The numbers of every panel as text."""
    for panel in record.panels:
        st.markdown(f"**{panel.title}** ({panel.network}), {len(panel.images)} images; {panel.weights}")
        st.table(accuracy_table(panel, ACCURACY_RADII) if accuracy else summary_table(record, panel))
    if not accuracy:
        st.markdown("What the paper says of it, counted here:")
        st.table(claims_table(record))
    if record.experiment in FIGURES:
        st.caption(
            "Lower bounds are proved and rounded down, attack distances are checked and rounded up. Medians and "
            "quartiles, since a few tiny radii would rule a mean. Simplex is the paper's name for the safe radius "
            "of the region."
        )


def origin(record: Record) -> None:
    """Where the numbers come from."""
    header = record.header
    versions = ", ".join(f"{name} {number}" for name, number in header.versions.items())
    st.table(
        {
            "What": ["Command", "Commit", "Date", "Machine", "Threads", "Versions", "Times"],
            "This result": [
                f"`{header.command}`",
                header.commit,
                header.date,
                header.hardware,
                str(header.threads),
                versions,
                record.timing,
            ],
        }
    )


def downloads(record: Record, figures: dict[str, go.Figure]) -> None:
    """The data and every figure as files."""
    name = record.experiment
    with st.container(horizontal=True):
        _button("Every image (CSV)", lambda: to_csv(record), f"{name}.csv", "text/csv")
        _button("Everything (JSON)", lambda: to_json(record), f"{name}.json", "application/json")
        for file, figure in figures.items():
            which = f" {file.removeprefix(name + '-')}" if len(figures) > 1 else ""
            _button(f"Figure{which} (PNG)", functools.partial(_file, figure, "png", record), f"{file}.png", "image/png")
            _button(
                f"Figure{which} (SVG)", functools.partial(_file, figure, "svg", record), f"{file}.svg", "image/svg+xml"
            )


def code(record: Record) -> str:
    """The code that prints the tables of the record in view: the stored one is read, one's own is run on its images."""
    name, images = record.experiment, record.images
    if name in FIGURES:
        module, made = "figure2", f'prepare_figure2(figure2_settings("{name}", images={images}))'
        names = "figure2_settings, prepare_figure2"
    else:
        module, made = "table1", f"prepare_table1(table1_settings(images={images}))"
        names = "prepare_table1, table1_settings"
    stored = runs.stored(name)
    tables = "from relucert_core.experiments.tables import summary_table, text_table\n"
    if stored is not None and stored.header == record.header:
        head = f'''from relucert_core.experiments.store import shipped_record
{tables}
record = shipped_record("{name}")  # `relucert reproduce {name}` runs it again
'''
    else:
        head = f"""from relucert_core.experiments.{module} import {names}
{tables}
prepared = {made}
for progress in prepared.run():
    pass
record = prepared.record()
"""
    return f"""{head}for panel in record.panels:
    print(panel.title, text_table(summary_table(record, panel)), sep="\\n", end="\\n\\n")
"""


def _button(label: str, data: Callable[[], str | bytes], file: str, mime: str) -> None:
    st.download_button(label, data, file, mime, on_click="ignore", key=f"experiments_file_{file}")


def _file(figure: go.Figure, kind: str, record: Record) -> bytes:
    from relucert_core.figures.export import exported

    return exported(figure, kind, provenance(record))


def _few(panel: Panel) -> tuple[Summary | None, Summary | None]:
    """The region's safe radius, and the attack with the smallest median."""
    simplex = panel.find("simplex")
    attacks = [summarise(series) for series in panel.series if series.kind != LOWER]
    best = min(attacks, key=lambda s: s.values.median, default=None)
    return (summarise(simplex) if simplex else None), best


def _zero_words(panel: Panel) -> str:
    boundary = panel.find("decision-boundary")
    if boundary is None:
        return ""
    zeros, count = summarise(boundary).zeros, len(boundary.values)
    return f"The decision boundary certificate is 0 for {zeros} of {count} images: these lie on the lower rail."


def _first_words(panel: Panel) -> str:
    """What stands for the images of a method that was run on the first ones only."""
    words = ""
    for series in panel.series:
        count = len(series.rows)
        if 0 < count < len(series.values):
            dotted = len(overtaken(panel, series))
            note = f" ({dotted} of them, with a dot, gained nothing over a faster bound)" if dotted else ""
            words += f" {series.title} was run on the first {count} images{note}."
    return words


def _gain_words(record: Record) -> str:
    """What training with the regulariser gains, where a second network stands beside the first."""
    if len(record.panels) < 2:
        return ""
    plain, other = (panel.find("simplex") for panel in record.panels[:2])
    if plain is None or other is None or not summarise(plain).values.median:
        return ""
    gain = summarise(other).values.median / summarise(plain).values.median
    return f"The second network, {record.panels[1].network}, has {rounded(gain)} times the median safe radius."


def _time_words(record: Record) -> str:
    panel = record.panels[0]
    rows = {series.method: summarise(series) for series in panel.series if series.values}
    simplex, crown = rows.get("simplex"), rows.get("crown-ada")
    if simplex is None:
        return "No method has finished an image yet."
    time = f"On {panel.title} the region's safe radius takes **{duration(simplex.seconds.median)}** an image here"
    if crown is None:
        return f"{time}."
    words = f"{time}, CROWN-Ada **{duration(crown.seconds.median)}**"
    if panel.radii and simplex.values.median > 0:
        return f"{words} for a radius {rounded(crown.values.median / simplex.values.median)} times as large."
    return f"{words}."
