"""Figures on the pages: each is drawn here, and none without the numbers behind it as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared.shell import presenting
from relucert_core.citation import in_csv

if TYPE_CHECKING:
    import plotly.graph_objects as go

STILL: dict[str, Any] = {"displayModeBar": False}  # plotly's camera saves pictures that do not say how they were made
LONGEST = 24  # lines that a page shows of a table; its file has them all
Columns = Mapping[str, Sequence[object]]


@dataclass(frozen=True)
class Numbers:
    """The numbers behind a figure: columns of words by name, all equally long; `note` says what they are, if need be.

    file: the name of the CSV file that holds them, without its ending; "" for few. whole: the columns of that file,
    with the numbers unrounded, where they are more than is shown. about: what the file says of its making.
    """

    columns: Columns
    note: str = ""
    file: str = ""
    whole: Callable[[], Columns] | None = None
    about: Callable[[], Mapping[str, str]] | None = None


def draw(
    figure: go.Figure, *, key: str, alt: str, behind: Numbers | str, what: str = "this figure",
    config: Mapping[str, Any] = STILL, **more: Any,
) -> None:  # fmt: skip
    """Draw a plotly figure, and under it, closed, the table of what it shows.

    behind: the numbers, or the words of the place on the same page where they stand already (an expander or a table's
    own heading). alt: the figure in words. more: goes to `st.plotly_chart`.
    """
    st.plotly_chart(figure, key=key, config=dict(config), theme=None, alt=alt, **more)
    if isinstance(behind, Numbers) and not presenting():
        with numbers_behind(what):
            table(behind, key)


def numbers_behind(what: str, **more: Any) -> Any:
    """The closed expander for a table of what a picture shows."""
    return st.expander(behind_label(what), **more)


def behind_label(what: str) -> str:
    """The words of that expander."""
    return f"The numbers behind {what}"


def table(numbers: Numbers, key: str) -> None:
    """The table, its first lines if it is long, and its file."""
    rows = max(map(len, numbers.columns.values()), default=0)
    if numbers.note:
        st.markdown(numbers.note)
    st.table({name: list(column[:LONGEST]) for name, column in numbers.columns.items()})
    if rows > LONGEST:
        st.caption(f"The first {LONGEST} of {rows:,} lines." + (" The file has them all." if numbers.file else ""))
    if numbers.file:
        st.download_button(
            "These numbers (CSV)", lambda: as_csv(numbers), f"{numbers.file}.csv", "text/csv", on_click="ignore",
            key=f"{key}_numbers",
        )  # fmt: skip


def as_csv(numbers: Numbers) -> str:
    """The file: all lines, after what it says of its making."""
    columns = numbers.columns if numbers.whole is None else numbers.whole()
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return out.getvalue() if numbers.about is None else in_csv(out.getvalue(), numbers.about())
