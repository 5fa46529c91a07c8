"""Plain, adversarial and regularised training of the same network, side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from pages.playground import engine
from pages.playground.player import Player
from pages.playground.scene import Scene
from pages.playground.setup import Setup
from pages.shared.charts import Numbers, draw, table
from pages.shared.plane import plane_of
from relucert_core.experiments.plane_tables import shares_beyond
from relucert_core.figures.plane import plane_figure
from relucert_core.figures.plane_history import planes_figure, radii_figure
from relucert_core.network import Network

COMPARED = {"plain": "Plain", "adversarial": "Adversarial", "simplex": "Regularised (simplex)"}
OWN = "pg_compared"
COMPARE = "Compare three ways of training the same network"
KINDS, STEPS = ("safe", "true"), (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)


def comparison(scene: Scene) -> None:
    """Pictures and radii of the three ways; computed when it is opened."""
    box = st.expander(COMPARE, key="pg_compare", on_change="rerun")
    if not box.open:
        return
    with box:
        own = st.session_state.get(OWN)
        if own is not None and own[0] == replace(scene.setup, preset="", method="plain"):
            words, networks, test = "the network and data above", own[1], scene.setup.points
        else:
            words, networks, test = stored()
        show(scene, networks, test, words)
        ready = scene.setup.trainable
        st.button("Train the network above in all three ways", key="pg_train_three", on_click=ask, disabled=not ready)
        if st.session_state.pop("pg_three_asked", False):
            train_three(scene.setup)


def ask() -> None:
    """The three trainings begin in this run of the script."""
    st.session_state["pg_three_asked"] = True


def stored() -> tuple[str, dict[str, Network], tuple[np.ndarray, np.ndarray]]:
    """The moons, trained in the three ways, and fresh points of them."""
    from relucert_core.experiments.showcase import load_run
    from relucert_core.training.presets import toy_preset

    networks = {name: load_run(f"moons-{name}").network for name in COMPARED}
    return "moons and a 2-16-16-2 network, on 500 fresh points", networks, toy_preset("moons-simplex").test_points()


def show(scene: Scene, networks: dict[str, Network], test: tuple[np.ndarray, np.ndarray], words: str) -> None:
    """The pictures, the curves and the medians."""
    points, labels = test
    moments = {name: engine.measured(net, points, labels) for name, net in networks.items()}
    figures = [
        plane_figure(
            plane_of(net),
            scene.theme,
            layers=frozenset({"classes", "polyhedra", "decision"}),
            colouring="region",
        )
        for net in networks.values()
    ]
    titles = [f"{COMPARED[name]}: {m.regions:,} regions" for name, m in moments.items()]
    draw(planes_figure(figures, titles, scene.theme), key="pg_three", alt="Three planes", behind=COMPARE)
    st.markdown(f"Trained three ways: {words}. {sentence(moments)}")
    radii = {COMPARED[name]: (m.safe, m.exact) for name, m in moments.items()}
    draw(radii_figure(radii, scene.theme), key="pg_radii", alt="Shares of safe points by radius", behind=COMPARE)
    st.table(
        {
            "Training": [COMPARED[name] for name in moments],
            "Accuracy": [f"{100 * m.accuracy:.1f} %" for m in moments.values()],
            "Median safe radius": [f"{m.medians[0]:.3g}" for m in moments.values()],
            "Median true distance": [f"{m.medians[1]:.3g}" for m in moments.values()],
            "Regions": [f"{m.regions:,}" for m in moments.values()],
        }
    )
    curves = {
        f"{way.split()[0]}: {kind}": values
        for way, two in radii.items()
        for kind, values in zip(KINDS, two, strict=True)
    }
    shares = shares_beyond(curves, STEPS)
    columns = {name: [f"{100 * part:.0f} %" for part in column] for name, column in shares.items()}
    columns["radius"] = [f"{step:g}" for step in STEPS]
    table(Numbers(columns, "The part of the points that is safe, or right, up to a radius:"), "pg_radii_table")


def sentence(moments: dict[str, Any]) -> str:
    """What the comparison shows, in one sentence."""
    plain, regularised = moments["plain"].medians[0], moments["simplex"].medians[0]
    if plain <= 0:
        return "The plain network proves nothing for half of the points."
    return (
        f"The regularised network's median safe radius is **{regularised / plain:.1f} times** the plain one's, at "
        f"{100 * moments['simplex'].accuracy:.1f} % against {100 * moments['plain'].accuracy:.1f} % accuracy."
    )


def train_three(setup: Setup) -> None:
    """Train in the three ways, with a bar; any click stops it."""
    bar, networks = st.progress(0.0, "Training"), {}
    for i, method in enumerate(COMPARED):
        run = Player(replace(setup, preset="", method=method))
        while not run.done:
            run.advance()
            bar.progress(
                (i + run.share) / 3, f"Training: {COMPARED[method]}, epoch {len(run.losses)}. Any click stops it."
            )
        networks[method] = run.latest.network
    st.session_state[OWN] = (replace(setup, preset="", method="plain"), networks)
    st.rerun()
