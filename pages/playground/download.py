"""What can be taken away from the playground: picture, stand-alone page, network, data."""

from __future__ import annotations

import json
from collections.abc import Mapping

import streamlit as st

from pages.playground import engine, state
from pages.playground.alone import stand_alone
from pages.playground.components import plane_export
from pages.playground.provenance import about, code_of
from pages.playground.scene import Scene
from pages.playground.setup import View
from pages.shared.plane import answer_at
from relucert_core.citation import in_csv, lines_of
from relucert_core.datasets.points_csv import points_to_csv


def downloads(scene: Scene) -> None:
    """The buttons; files are made when they are asked for."""
    from relucert_core.importers.safetensors_file import network_bytes

    now, code = state.now(), code_of(scene)

    def made() -> dict[str, str]:
        return about(scene, code(now.view.point), now.view.point)

    plane_export("pg_export", scene.chart, scene.theme, lines_of(made()))
    with st.container(horizontal=True):
        st.download_button(
            "Page of its own (HTML)",
            lambda: stand_alone(scene, now.view, lines_of(made())),
            "relucert-plane.html",
            "text/html",
            on_click="ignore",
        )
        st.download_button(
            "Network (safetensors)", lambda: network_bytes(scene.net), "relucert-network.safetensors",
            "application/octet-stream", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            "Data (CSV)",
            lambda: in_csv(points_to_csv(*scene.setup.points), made()),
            "relucert-points.csv",
            "text/csv",
            on_click="ignore",
        )
        st.download_button(
            "Data and numbers (JSON)",
            lambda: as_json(scene, now.view, made()),
            "relucert-plane.json",
            "application/json",
            on_click="ignore",
        )
    st.caption(
        "SVG and PNG are the picture as it is on the screen, circles and legend and all. The page works offline."
    )


def as_json(scene: Scene, view: View, made: Mapping[str, str]) -> str:
    """Data, network, point and what is certified there, as JSON; infinite numbers are null."""
    points, labels = scene.setup.points
    answer = answer_at(scene.net, scene.plane, view.point)
    cert = answer.simplex
    record = {
        "network": {
            "weights": [w.tolist() for w in scene.net.weights],
            "biases": [b.tolist() for b in scene.net.biases],
            "digest": scene.net.digest,
        },
        "point": list(view.point),
        "prediction": cert.prediction,
        "norm": "L2",
        "safe_radius": engine.finite(cert.radius),
        "guarantee": cert.guarantee,
        "status": cert.status,
        "limit": str(cert.limit) if cert.limit else None,
        "true_distance": engine.finite(answer.exact),
        "true_distance_proven": answer.proven,
        "regions": len(scene.plane),
        "data": [[float(x), float(y), int(k)] for (x, y), k in zip(points, labels, strict=True)],
        **made,
    }
    return json.dumps(record, allow_nan=False)
