"""All pictures of a record, by the names of their files."""

from __future__ import annotations

import plotly.graph_objects as go

from relucert_core.experiments.catalogue import shown_methods
from relucert_core.experiments.records import Panel, Record
from relucert_core.experiments.summaries import accuracy_curve, accuracy_range, order_by
from relucert_core.figures.certified_accuracy import certified_accuracy
from relucert_core.figures.figure2 import figure2, figure2_axis
from relucert_core.figures.table1 import radii_chart, times_chart
from relucert_core.figures.theme import LIGHT, Theme


def pictures_of(record: Record, theme: Theme = LIGHT) -> dict[str, go.Figure]:
    """File name (without ending) -> figure."""
    if record.experiment == "table-1":
        charts = {"table-1-times": times_chart(record, theme)}
        return charts | ({"table-1-radii": radii_chart(record, theme)} if any(p.radii for p in record.panels) else {})
    figures = {}
    methods = shown_methods(record)
    axis, ends = figure2_axis(record.panels, methods), accuracy_range(record.panels)
    for panel in record.panels:
        name = f"{record.experiment}-{panel.network}"
        figures[name] = figure2(panel, methods, order_by(panel, "simplex"), axis, theme, record.norm)
        figures[f"{name}-certified-accuracy"] = accuracy_chart(panel, ends, theme, record.norm)
    return figures


def accuracy_chart(panel: Panel, ends: tuple[float, float], theme: Theme, norm: str, height: int = 450) -> go.Figure:
    """The certified accuracy of all methods of a panel, between the radii `ends`."""
    return certified_accuracy([accuracy_curve(panel, s, ends) for s in panel.series], theme, norm, height)
