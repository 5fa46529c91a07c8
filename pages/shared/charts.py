"""What the pages pass to plotly: charts with a camera that saves them, and charts that only stand there."""

from __future__ import annotations

from typing import Any

CAMERA: dict[str, Any] = {
    "displaylogo": False,
    "displayModeBar": True,
    "modeBarButtons": [["toImage"]],
    "toImageButtonOptions": {"format": "png", "scale": 2},
}
STILL: dict[str, Any] = {"displayModeBar": False}
