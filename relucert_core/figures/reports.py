"""All pictures of a record, by the names of their files."""

from __future__ import annotations

import plotly.graph_objects as go

from relucert_core.experiments.catalogue import FIGURES, shown_methods
from relucert_core.experiments.records import Record
from relucert_core.experiments.summaries import accuracy_curve, accuracy_range, order_by
from relucert_core.figures.certified_accuracy import certified_accuracy
from relucert_core.figures.figure2 import figure2, figure2_axis
from relucert_core.figures.table1 import radii_chart, times_chart
from relucert_core.figures.theme import LIGHT, Theme


def pictures_of(
    record: Record,
    theme: Theme = LIGHT,
    *,
    accuracy: bool | None = None,
    sorted_alone: bool = False,
    height: int = 450,
) -> dict[str, go.Figure]:
    """File name (without ending) -> figure, in the order in which they are shown.

    accuracy: of Figure 2 only the certified accuracy (True) or only the bounds (False); both by default. sorted_alone:
    each method by itself, not all in the order of the safe radius.
    """
    if record.experiment not in FIGURES:
        charts = {"table-1-times": times_chart(record, theme)}
        return charts | ({"table-1-radii": radii_chart(record, theme)} if any(p.radii for p in record.panels) else {})
    figures = {}
    methods = shown_methods(record)
    axis, ends = figure2_axis(record.panels, methods), accuracy_range(record.panels)
    for panel in record.panels:
        name = f"{record.experiment}-{panel.network}"
        if accuracy is not True:
            order = None if sorted_alone else order_by(panel, "simplex")
            figures[name] = figure2(panel, methods, order, axis, theme, record.norm, height)
        if accuracy is not False:
            curves = [accuracy_curve(panel, series, ends) for series in panel.series]
            figures[f"{name}-certified-accuracy"] = certified_accuracy(curves, theme, record.norm, height)
    return figures
