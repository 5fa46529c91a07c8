"""The playground, driven through the router without a browser."""

from __future__ import annotations

import contextlib
import io
import json
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

import relucert_core as rc
from pages.playground.code import plane_code
from pages.playground.player import Player
from pages.playground.setup import LAYERS, Setup, View, setup_of, whole_of
from pages.playground.state import STATE
from pages.shared.plane import plane_of
from relucert_core.datasets.points_csv import points_to_csv
from relucert_core.datasets.points_word import pack_points, unpack_points
from relucert_core.errors import InvalidInput
from relucert_core.experiments.showcase import SHOWCASE, load_run
from relucert_core.importers.safetensors_file import network_bytes
from relucert_core.planar.preview import bent_lines
from relucert_core.words import down
from tests.helpers import rest_slow
from tests.pages.helpers import control, figures, open_page, texts

PAGE = "playground"


def playground(**query):
    return open_page(PAGE, **{f"pg_{key}": value for key, value in query.items()})


def player_of(at):
    """The training run on the screen."""
    return at.session_state["pg_players"][at.session_state["playground_fields"].setup]


def metrics(at):
    return {m.label: m.value for m in at.metric}


def finish(at, runs=200):
    """Let the ticks of a training pass, as the browser's clock would."""
    for _ in range(runs):
        if not player_of(at).playing:
            return at.run()
        at.run()
    raise AssertionError("The training does not end.")


def test_opens_with_everything_drawn():
    at = playground()
    assert not at.exception
    assert not at.error
    net = load_run("moons-figure").network
    answer = rc.certify(net, SHOWCASE["figure-1a"].point)
    assert metrics(at)["Safe radius (certified)"] == down(answer.radius, 3)
    names = {trace["name"] for trace in figures(at)[0]["data"]}
    assert {"class 0", "class 1", "boundary", "faces of layer 1", "faces of layer 2", "data of class 0"} <= names
    assert "Case (a)" in texts(at)
    assert f"class {answer.limit.rival}" in texts(at)
    assert len(figures(at)) == 2, "the plane and the radii over time"


@pytest.mark.parametrize("name", rest_slow(SHOWCASE, 4))
def test_every_preset_opens_and_explains_itself(name):
    at = playground(preset=name)
    assert not at.exception
    assert not at.error
    assert SHOWCASE[name].words in texts(at)
    net, point = load_run(SHOWCASE[name].file).network, SHOWCASE[name].point
    assert metrics(at)["Safe radius (certified)"] == down(rc.certify(net, point).radius, 3)


def lit(at):
    """The chip that is lit."""
    return control(at, "pills", "pg_choice").value


@pytest.mark.parametrize("name", list(SHOWCASE))
def test_every_preset_says_what_the_numbers_say(name):
    entry = SHOWCASE[name]
    net, u = load_run(entry.file).network, entry.point
    assert entry.holds(net, u)
    radius, boundary = rc.certify(net, u).radius, rc.planar_distance(net, u).lower
    if name == "figure-1a":
        assert rc.certify(net, u).limit.kind == "class"
        assert radius == pytest.approx(boundary, rel=1e-6)
    elif name == "figure-1b":
        assert rc.certify(net, u).limit.kind == "face"
        assert boundary > 1.1 * radius > 0
    elif name == "many":
        assert len(rc.planar_complex(net, ((-1.25, 1.25), (-1.25, 1.25)))) > 2000
        assert radius < 0.05 < boundary
    elif name in ("plain", "regularised"):
        plain, regularised = SHOWCASE["plain"], SHOWCASE["regularised"]
        assert plain.point == regularised.point, "the two are compared at one point"
        nets = [load_run(one.file).network for one in (plain, regularised)]
        one, other = (rc.certify(n, u).radius for n in nets)
        assert other > 3 * one > 0
        points, labels = plain.run.points()
        assert [(n(points).argmax(1) == labels).mean() > 0.97 for n in nets] == [True, True]
        medians = [float(np.median(rc.certify(n, points).radius)) for n in nets]
        assert medians[1] > 3 * medians[0], "so it is all over the data, not at this point alone"
    elif name == "two-layers":
        points, _ = entry.run.points()
        theorem_4 = rc.certify(net, points, method="decision-boundary").radius
        assert rc.certify(net, u, method="decision-boundary").radius > radius > 0
        assert (theorem_4 < rc.certify(net, points).radius).mean() > 0.3
        assert (theorem_4 == 0).mean() > 0.3


def test_a_chip_is_lit_only_while_what_it_says_is_true():
    at = playground()
    assert lit(at) == "figure-1a"
    x, y = SHOWCASE["figure-1b"].point
    control(at, "number_input", "pg_x").set_value(x)
    control(at, "number_input", "pg_y").set_value(y).run()
    assert lit(at) is None
    assert "does not hold here" in texts(at)
    assert SHOWCASE["figure-1a"].words not in texts(at)
    x, y = SHOWCASE["figure-1a"].point
    control(at, "number_input", "pg_x").set_value(x)
    control(at, "number_input", "pg_y").set_value(y).run()
    assert lit(at) == "figure-1a"


def test_degenerate_presets_are_degenerate():
    cones = load_run("zero-biases").network
    assert all((bias == 0).all() for bias in cones.biases)
    assert rc.certify(cones, (0.0, 0.0)).radius == 0
    at = playground(preset="zero-biases", point="0~0")
    assert not at.exception
    assert metrics(at)["Safe radius (certified)"] == "0"
    dead = load_run("dead-neuron").network
    signs = rc.planar_complex(dead, ((-1.25, 1.25), (-1.25, 1.25))).patterns.layer(0)
    assert not signs[:, 10].any()
    np.testing.assert_array_equal(signs[:, 11], signs[:, 0])


def test_a_move_runs_no_more_than_the_panel_and_keeps_the_figure():
    at = playground()
    before = figures(at)[0]
    control(at, "number_input", "pg_x").set_value(-0.3)
    at.run()
    spent = []
    for y in (0.4, 0.3, 0.2):
        begun = time.process_time()
        control(at, "number_input", "pg_y").set_value(y).run()
        spent.append(time.process_time() - begun)
    assert not at.exception
    assert figures(at)[0] == before
    assert metrics(at)["Safe radius (certified)"] == down(
        rc.certify(load_run("moons-figure").network, (-0.3, 0.2)).radius, 3
    )
    assert at.query_params["pg_point"] in ("-0.3~0.2", ["-0.3~0.2"])
    assert min(spent) < 1.0, f"the scripts of three moves took {spent} s of processor time"


def test_a_click_between_a_record_and_its_run_takes_nothing_down():
    at = playground()
    record = at.session_state["playground_fields"]
    at.session_state["playground_fields"] = replace(record, preset="", hidden=(3,), epochs=20)
    at.run()
    assert not at.exception
    assert player_of(at).latest.network.widths == (3,)


def test_data_network_and_training_are_changed_and_trained():
    at = playground()
    control(at, "pills", "pg_dataset").set_value("spirals").run()
    assert not at.exception
    setup = at.session_state["playground_fields"].setup
    assert (setup.preset, setup.dataset, setup.hidden, setup.method) == ("", "spirals", (16, 16), "plain")
    control(at, "number_input", "pg_epochs").set_value(60).run()
    control(at, "slider", "pg_hidden_count").set_value(1).run()
    assert at.session_state["playground_fields"].setup.hidden == (16,)
    control(at, "slider", "pg_hidden_count").set_value(2).run()
    control(at, "number_input", "pg_hidden_1").set_value(5).run()
    assert at.session_state["playground_fields"].setup.hidden == (16, 5)
    control(at, "slider", "pg_hidden_count").set_value(1).run()
    at.button(key="pg_step").click().run()
    assert player_of(at).status == "running"
    at.button(key="pg_play").click().run()
    finish(at)
    player = player_of(at)
    assert player.status == "finished"
    assert "finished after 60 of 60" in texts(at)
    assert not at.exception
    again = Player(at.session_state["playground_fields"].setup)
    while not again.done:
        again.advance(5.0)
    assert again.latest.network == player.latest.network, "the same seed gives the same network"


def test_link_trains_again_from_the_seed_and_shows_the_same():
    link = {"dataset": "moons", "hidden": "6", "epochs": "40", "seed": "3", "size": "60", "point": "0.2~0.1"}
    first, second = (finish(playground(**link)) for _ in range(2))
    assert metrics(first) == metrics(second)
    assert figures(first)[0]["data"] == figures(second)[0]["data"]
    assert not first.error
    back = {k[3:]: v if isinstance(v, str) else v[0] for k, v in first.query_params.items()}
    assert back == link


def test_time_goes_back_to_a_snapshot():
    at = playground(preset="plain", epoch="20")
    epochs = [s.epoch for s in load_run("moons-plain").snapshots]
    shown = max(e for e in epochs if e <= 20)
    net = next(s.network for s in load_run("moons-plain").snapshots if s.epoch == shown)
    assert metrics(at)["Safe radius (certified)"] == down(rc.certify(net, SHOWCASE["plain"].point).radius, 3)


def test_stop_keeps_what_was_learnt_and_rewind_forgets_it():
    at = playground(dataset="moons", epochs="2000", size="200", hidden="8")
    at.run()
    assert player_of(at).playing
    at.button(key="pg_stop").click().run()
    player = player_of(at)
    assert player.status == "stopped"
    assert "was stopped after" in texts(at)
    at.button(key="pg_rewind").click().run()
    assert player_of(at).status == "ready"
    assert len(player_of(at).snapshots) == 1


def test_the_more_runs_train_the_slower_each_ticks(monkeypatch):
    import pages.playground.engine as engine

    now, all_runs, trainers = [100.0], [object() for _ in range(10)], {}
    monkeypatch.setattr(engine, "_trainers", lambda: trainers)
    monkeypatch.setattr(engine.time, "monotonic", lambda: now[0])
    assert [engine.training_pace(run) for run in all_runs] == [0.25, 0.25, 0.5, 0.5, 1, 1, 1, 1, 2, 2]
    now[0] += 60
    assert engine.training_pace(all_runs[0]) == 0.25, "those that have left don't count"


def test_run_away_training_is_said():
    at = finish(playground(dataset="moons", epochs="50", rate="100", optimizer="sgd", size="50"))
    assert player_of(at).status == "diverged"
    assert any("ran away" in w.value for w in at.warning)


BAD = [
    {"preset": "nonsense"},
    {"dataset": "../../etc"},
    {"dataset": "moons", "hidden": "9999"},
    {"dataset": "moons", "hidden": "~"},
    {"dataset": "moons", "epochs": "1e9"},
    {"dataset": "moons", "rate": "nan"},
    {"dataset": "moons", "size": "10000000"},
    {"dataset": "moons", "method": "<b>"},
    {"own": "!!!"},
    {"own": "eJw"},
    {"dataset": "moons", "classes": "6"},
    {"dataset": "moons", "seed": "-1"},
]


@pytest.mark.parametrize("query", BAD, ids=str)
def test_damaged_link_is_put_right_with_one_sentence(query):
    at = playground(**query)
    assert not at.exception
    assert not at.error
    assert len(at.warning) == 1
    assert "The link was put right" in at.warning[0].value
    assert metrics(at)


@pytest.mark.parametrize(
    "query", [{"point": "nan~1"}, {"point": "a"}, {"view": "1~0~1~0"}, {"epoch": "x"}, {"layers": "?"}]
)
def test_damaged_view_falls_back(query):
    at = playground(**query)
    assert not at.exception
    assert not at.error
    assert len(at.warning) == 1
    assert metrics(at)


def test_link_round_trip():
    setup = Setup(preset="", dataset="blobs", noise=0.2, classes=5, hidden=(3, 4, 5), method="simplex", seed=9)
    view = View(
        epoch=17, point=(0.25, -1.5), layers=("classes", "circle"), colouring="slope", view=(-1.0, 0.5, -0.5, 1.0)
    )
    for shown in (setup, setup_of(SHOWCASE["plain"], "plain")):
        whole = whole_of(shown, view)
        assert STATE.read(STATE.link(whole)) == (whole, [])


def test_own_points_travel_in_the_link():
    points, labels = np.array([[0.5, -9.25], [0.1234, 2.0], [-1.0, 1.0]]), np.array([0, 9, 1])
    back = unpack_points(pack_points(points, labels))
    np.testing.assert_allclose(back[0], points, atol=1e-4)
    np.testing.assert_array_equal(back[1], labels)
    for word in ("", "x", "é", pack_points(points, labels)[:-4]):
        with pytest.raises(InvalidInput, match="damaged"):
            unpack_points(word)


def test_points_are_added_and_back_restores_them_with_the_training(monkeypatch):
    """As the browser's Back and Forward do it, which is what Undo and Redo press."""
    at = finish(playground(dataset="moons", hidden="5", epochs="20", size="60"))
    link = dict(at.query_params)
    trained, seen = player_of(at), []
    session = at.session_state
    import pages.playground.state as state

    with monkeypatch.context() as patch:
        fake = {key: session[key] for key in ("playground_fields", "pg_players")}
        patch.setattr(state.st, "session_state", fake)
        points, labels = state.points()
        for i in range(8):  # more edits than runs were once kept
            state.edit_points(np.vstack([points, [[0.5, 0.1 * i]]]), np.append(labels, 1))
        assert len(state.points()[0]) == 61
        assert state.player().snapshots[-1] is trained.latest, "the network stays on the screen"
        seen = fake
    for key, value in seen.items():
        session[key] = value
    at.run()
    edited = dict(at.query_params)
    assert edited != link
    for wanted, run in ((link, trained), (edited, seen["pg_players"][seen["playground_fields"].setup])):
        at.query_params.clear()
        for key, value in wanted.items():
            at.query_params[key] = value
        monkeypatch.setattr("pages.shared.state._went_back_or_forward", lambda: True)
        at.run()
        assert player_of(at) is run, "as it was left, not trained anew"
        assert len(player_of(at).snapshots) == len(trained.snapshots)
    assert not at.exception


def test_csv_of_points_is_taken_or_refused_with_a_sentence():
    at = playground()
    text = points_to_csv(np.array([[0.1, 0.2], [0.3, -0.4], [0.5, 0.5]]), np.array([0, 1, 1]))
    at.file_uploader(key="pg_csv").upload("p.csv", text.encode()).run()
    assert not at.exception
    assert len(at.session_state["playground_fields"].setup.points[0]) == 3
    at = playground()
    at.file_uploader(key="pg_csv").upload("p.csv", b"1,2,3,4\n").run()
    assert not at.exception
    assert "Line 1 has 4 values" in at.error[0].value


def test_network_file_is_shown_or_refused_with_a_sentence():
    rng = np.random.default_rng(0)
    net = rc.Network([rng.standard_normal((5, 2)), rng.standard_normal((3, 5))], [rng.standard_normal(5), np.zeros(3)])
    at = playground()
    at.file_uploader(key="pg_file").upload("n.safetensors", network_bytes(net)).run()
    assert not at.exception
    assert metrics(at)["Safe radius (certified)"] == down(rc.certify(net, SHOWCASE["figure-1a"].point).radius, 3)
    wide = rc.Network([np.ones((4, 3)), np.ones((2, 4))], [np.zeros(4), np.zeros(2)])
    for data, words in ((network_bytes(wide), "3 inputs"), (b"junk", "not a safetensors file")):
        at = playground()
        at.file_uploader(key="pg_file").upload("n.safetensors", data).run()
        assert not at.exception
        assert words in at.error[0].value


def test_points_are_pasted_and_keep_their_classes():
    at = playground()
    lines = [f"{0.1 * i:.1f}, {-0.1 * i:.1f}, {i % 6}" for i in range(12)]
    at.text_area(key="pg_pasted").set_value("\n".join(lines))
    next(b for b in at.button if b.label == "Take these points").click().run()
    assert not at.exception
    assert not at.error
    points, labels = at.session_state["playground_fields"].setup.points
    assert labels.tolist() == [i % 6 for i in range(12)]
    np.testing.assert_allclose(points[:, 0], [0.1 * i for i in range(12)], atol=1e-3)
    assert player_of(at).latest.network.classes == 6
    at.text_area(key="pg_pasted").set_value("1, 2")
    next(b for b in at.button if b.label == "Take these points").click().run()
    assert "Line 1" in at.error[0].value


def test_the_layers_of_a_file_stand_in_the_panel_and_the_presets_words_go():
    rng = np.random.default_rng(3)
    shapes = ((7, 2), (4, 7), (3, 4))
    net = rc.Network([rng.standard_normal(shape) for shape in shapes], [rng.standard_normal(n) for n, _ in shapes])
    at = playground()
    assert SHOWCASE["figure-1a"].words in texts(at)
    at.file_uploader(key="pg_file").upload("n.safetensors", network_bytes(net)).run()
    assert not at.exception
    assert control(at, "slider", "pg_hidden_count").value == 2
    assert [control(at, "number_input", f"pg_hidden_{i}").value for i in (0, 1)] == [7, 4]
    assert lit(at) is None
    assert not [entry.name for entry in SHOWCASE.values() if entry.words in texts(at)]
    at.run()
    radius = rc.certify(net, SHOWCASE["figure-1a"].point).radius
    assert metrics(at)["Safe radius (certified)"] == down(radius, 3), "the file stays on the screen"


def test_a_state_dict_is_shown_once_its_activation_is_ticked_and_counts_once_among_the_uploads(monkeypatch, read_apart):
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3))
    data = io.BytesIO()
    torch.save(module.state_dict(), data)
    monkeypatch.setenv("RELUCERT_UPLOADS", str(1.5 * len(data.getvalue()) / 2**20))
    at = playground()
    at.file_uploader(key="pg_file").upload("n.pth", data.getvalue()).run()
    assert "activation" in at.error[0].value
    at.checkbox(key="pg_relu").check().run()
    assert not at.exception
    assert not at.error
    radius = rc.certify(rc.read_network(module), SHOWCASE["figure-1a"].point).radius
    assert metrics(at)["Safe radius (certified)"] == down(radius, 3)
    at.file_uploader(key="pg_csv").upload("p.csv", b"0.1, 0.2, 0\n" * 200).run()
    assert not at.exception
    assert "One visit may upload" in at.error[0].value


def test_a_network_that_carries_outputs_is_refused_on_the_plane():
    net = rc.read_network(torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.LeakyReLU(), torch.nn.Linear(4, 2)))
    at = playground()
    at.file_uploader(key="pg_file").upload("n.safetensors", network_bytes(net)).run()
    assert not at.exception
    assert "chains of dense layers" in at.error[0].value


@pytest.mark.parametrize("layer", [n for n in LAYERS if n in ("classes", "polyhedra", "decision", "data")])
def test_layers_of_the_figure_can_be_hidden(layer):
    rest = "~".join(n for n in LAYERS if n != layer)
    names = [t["name"] for t in figures(playground(layers=rest))[0]["data"]]
    gone = {"classes": "class", "polyhedra": "faces", "decision": "boundary", "data": "data of"}[layer]
    assert not [name for name in names if name.startswith(gone)]
    assert names


@pytest.mark.parametrize("colouring", ["region", "slope"])
def test_polyhedra_are_coloured_in_each_way(colouring):
    at = playground(colouring=colouring)
    assert not at.exception
    assert sum(t["name"] == "polyhedra" for t in figures(at)[0]["data"]) >= 4


@pytest.mark.parametrize(
    "setup",
    [
        (Setup(), "moons-figure", None),
        (setup_of(SHOWCASE["plain"], "plain"), "moons-plain", 20),
        (Setup(preset="", epochs=20, hidden=(5,), size=40, seed=2), None, 7),
        (Setup(preset="", own=pack_points(np.eye(2), np.array([0, 1])), epochs=10), None, None),
    ],
    ids=["preset", "moment of a preset", "moment of a training", "own points"],
)
def test_code_runs_as_printed(setup):
    of, file, epoch = setup
    code = plane_code(of, file, epoch, (0.1, 0.35), uploaded=False)
    printed, names = io.StringIO(), {}
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "printed", "exec"), names)
    assert f"safe to {down(rc.certify(names['net'], (0.1, 0.35)).radius)}," in printed.getvalue()
    if file == "moons-figure":
        assert names["net"] == load_run(file).network


def test_downloads_hold_the_figure_the_network_and_the_numbers():
    from pages.playground import download as plane_download
    from pages.playground.scene import Scene
    from relucert_core.figures.theme import LIGHT

    net = load_run("moons-figure").network
    setup = setup_of(SHOWCASE["figure-1a"], "figure-1a")
    view = View()
    scene = Scene(net, 300, plane_of(net), setup, view, ("light", False), LIGHT, "c")
    record = json.loads(plane_download.as_json(scene, view, {"version": "relucert 9"}))
    assert record["safe_radius"] == rc.certify(net, view.point).radius
    assert len(record["data"]) == setup.size
    assert record["version"] == "relucert 9"


def test_comparison_shows_five_times_the_safe_radius_at_equal_accuracy():
    at = open_page(PAGE, {"pg_compare": True, "pg_numbers": True})
    assert not at.exception
    heads = {box.label: [table.value.columns.tolist()[0] for table in box.table] for box in at.expander}
    assert heads["Compare three ways of training the same network"] == ["Training", "radius"]
    assert heads["The numbers behind the pictures"] == ["At u", "Class", "Layer"]
    assert heads["The numbers behind this training"] == ["Epoch"]
    from pages.playground.compare import stored
    from pages.playground.engine import measured

    _, networks, test = stored()
    plain, regularised = (measured(networks[name], *test) for name in ("plain", "simplex"))
    assert regularised.medians[0] >= 5 * plain.medians[0]
    assert abs(regularised.accuracy - plain.accuracy) <= 0.02


def test_stored_runs_are_what_their_recipe_gives():
    """Trained again from the seed, a preset gives the stored network up to float32."""
    setup = replace(setup_of(SHOWCASE["two-layers"], "two-layers"), preset="")
    player = Player(setup)
    while not player.done:
        player.advance(5.0)
    for ours, kept in zip(player.latest.network.weights, load_run("circles-two-layers").network.weights, strict=True):
        np.testing.assert_allclose(ours, kept, atol=1e-3)


def test_diagram_knows_every_line():
    from pages.playground.engine import diagram_of

    net = load_run("moons-figure").network
    data = diagram_of(net, plane_of(net))
    _, places = bent_lines(plane_of(net))
    assert data["begins"][-1] == len(places)
    assert data["owners"] == sorted({1000 * a + b for a, b in places.tolist()})


def test_from_an_empty_plane_training_starts_with_the_second_class(monkeypatch):
    """Points of one class after another; until there are two, one sentence says what to do."""
    at = playground()
    at.button(key="pg_empty").click().run()
    assert not at.exception
    assert not at.error
    assert "The plane is empty" in at.info[0].value
    assert at.session_state["pg_mode"] == "draw"
    assert len(unpack_points(at.query_params["pg_own"])[0]) == 0
    assert not player_of(at).playing
    names: dict = {}
    shown = at.session_state["playground_fields"]
    exec(plane_code(shown.setup, None, None, shown.point, uploaded=False), names)
    assert names["net"] == player_of(at).latest.network

    import pages.playground.point as point_panel

    def drawn(*points, ink):
        """What the component's callback does, in a run of the script."""
        at.number_input(key="pg_new_class").set_value(ink).run()
        with monkeypatch.context() as patch:
            patch.setattr(point_panel, "sent_points", lambda *_: list(points))
            session = at.session_state
            fake = {key: session[key] for key in ("playground_fields", "pg_players", "pg_mode", "pg_new_class")}
            patch.setattr(point_panel.st, "session_state", fake)
            point_panel.stroke_drawn()
        for key in ("playground_fields", "pg_players", "pg_edited"):
            session[key] = fake[key]
        at.run()

    drawn((0.5, 0.5), (0.6, 0.5), ink=3)
    assert not at.exception
    assert "All points are of class 3" in at.info[0].value
    assert not player_of(at).playing
    assert player_of(at).latest.network.classes == 4
    drawn((-0.5, -0.5), (-0.6, -0.4), ink=1)
    assert not at.exception
    assert not at.info
    run = player_of(at)
    assert run.playing or run.done, "it has begun by itself"
    finish(at)
    net = player_of(at).latest.network
    assert net(np.array([[0.55, 0.5], [-0.55, -0.45]])).argmax(1).tolist() == [3, 1]
