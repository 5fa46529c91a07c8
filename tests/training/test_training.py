"""Training: the optimisers, the loop, the regulariser, the playground's runs and the recipes."""

import argparse
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from relucert_core.cli import data as data_command
from relucert_core.cli import models as models_command
from relucert_core.cli import train as train_command
from relucert_core.datasets.idx import idx_bytes, read_idx
from relucert_core.datasets.mnist import mnist_sample
from relucert_core.datasets.toy import toy_dataset
from relucert_core.distances import all_distances, simplex_distances
from relucert_core.errors import InvalidInput
from relucert_core.importers.safetensors_file import load_network
from relucert_core.importers.shipped import list_models, load_model
from relucert_core.network import Network
from relucert_core.region import activation_region
from relucert_core.training.loop import LoopSettings, accuracy, train
from relucert_core.training.model import Trainable
from relucert_core.training.optimizers import Adam, Sgd, make_optimizer
from relucert_core.training.presets import TOY_PRESETS, toy_preset
from relucert_core.training.recipes import RECIPES, find_recipe, run_recipe
from relucert_core.training.regularisers import PgdPerturbation, SimplexPenalty, draw_sketch, sketched_distances
from relucert_core.training.toy import ToySettings, toy_steps, train_toy
from tests.helpers import rest_slow

MOONS = toy_dataset("moons")(200)


def small_model(seed=0, widths=(3, 5, 4, 3), dtype=torch.float64):
    model = Trainable.glorot(widths, torch.Generator().manual_seed(seed), dtype)
    with torch.no_grad():
        model.flat += 0.1 * torch.randn(
            model.flat.shape, generator=torch.Generator().manual_seed(seed + 1), dtype=dtype
        )
    return model


def small_points(count=20, seed=5, classes=3):
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(count, 3, generator=generator, dtype=torch.float64)
    return points, torch.randint(classes, (count,), generator=generator)


def textbook_adam(gradients, rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """The moves of Algorithm 1 of Kingma and Ba, from unrolled sums instead of running means."""
    for t in range(1, len(gradients) + 1):
        ages = np.arange(t)[::-1, None]
        mean = (1 - beta1) * (beta1**ages * gradients[:t]).sum(0) / (1 - beta1**t)
        square = (1 - beta2) * (beta2**ages * gradients[:t] ** 2).sum(0) / (1 - beta2**t)
        yield -rate * mean / (np.sqrt(square) + epsilon)


def textbook_momentum(gradients, rate, momentum=0.9):
    for t in range(1, len(gradients) + 1):
        yield -rate * (momentum ** np.arange(t)[::-1, None] * gradients[:t]).sum(0)


@pytest.mark.parametrize(("optimiser", "moves"), [(Adam, textbook_adam), (Sgd, textbook_momentum)])
def test_optimisers_follow_the_textbook(optimiser, moves):
    gradients = np.random.default_rng(0).standard_normal((60, 9)) ** 3
    flat = torch.linspace(-2, 2, 9, dtype=torch.float64)
    expected, mine = flat.numpy().copy(), optimiser(flat)
    for gradient, move in zip(gradients, moves(gradients, 0.03), strict=True):
        mine.step(torch.from_numpy(gradient), 0.03)
        expected += move
        np.testing.assert_allclose(flat.numpy(), expected, rtol=1e-10, atol=1e-12)


def test_unknown_optimiser():
    with pytest.raises(InvalidInput, match="adam, sgd"):
        make_optimizer("lion", torch.zeros(3))


def test_flat_vector_is_the_layers():
    model = small_model()
    points, _ = small_points()
    net = model.network("copy")
    torch.testing.assert_close(model(points).detach(), net.logits(points), rtol=0, atol=0)
    with torch.no_grad():
        model.flat.zero_()
    assert not model.layers[0].weight.any()
    assert net.affine[0].weight.any()  # a network keeps its own copy
    assert Trainable.from_network(net, torch.float64).network("back") == net


def test_gradient_matches_finite_differences():
    model = small_model()
    points, labels = small_points()

    def loss():
        return torch.nn.functional.cross_entropy(model(points), labels)

    gradient = model.gradient(loss())
    for place in range(0, len(model.flat), 7):
        with torch.no_grad():
            model.flat[place] += 1e-6
            above = loss().item()
            model.flat[place] -= 2e-6
            below = loss().item()
            model.flat[place] += 1e-6
        assert gradient[place].item() == pytest.approx((above - below) / 2e-6, abs=1e-7)


def test_glorot_start_has_its_bounds():
    model = Trainable.glorot((50, 30, 2), torch.Generator().manual_seed(0), torch.float32)
    for layer in model.layers:
        limit = (6 / (layer.inputs + layer.outputs)) ** 0.5
        assert 0.9 * limit < layer.weight.abs().max().item() <= limit
        assert not layer.bias.any()
    with pytest.raises(InvalidInput):
        Trainable.glorot((2, 2), torch.Generator(), torch.float32)


def test_loop_visits_every_point_once_an_epoch():
    points, labels = small_points(23)
    seen = []

    def watch(model, batch, target, done):
        seen.append((batch, target, done))
        return torch.zeros((), dtype=torch.float64)

    reports = list(train(small_model(), points, labels, LoopSettings(2, 5, 0.01, 0), penalty=watch))
    assert [r.epoch for r in reports] == [1, 2]
    assert [len(batch) for batch, _, _ in seen] == [5, 5, 5, 5, 3] * 2
    assert [done for *_, done in seen] == pytest.approx(np.arange(1, 11) / 10)
    for half in (seen[:5], seen[5:]):
        visited = torch.cat([batch for batch, _, _ in half])
        torch.testing.assert_close(visited.sort(0).values, points.sort(0).values)
    assert not torch.equal(seen[0][0], seen[5][0])


def test_loop_is_deterministic_and_learns():
    points, labels = (torch.from_numpy(array) for array in MOONS)
    nets = []
    for _ in range(2):
        model = small_model(widths=(2, 8, 2))
        reports = list(train(model, points, labels, LoopSettings(60, 32, 0.02, 4)))
        nets.append(model.network("net"))
    assert nets[0] == nets[1]
    assert reports[-1].loss < reports[0].loss / 3
    assert accuracy(model, points, labels) > 0.85


def test_weight_decay_and_schedule_and_reports():
    points, labels = (torch.from_numpy(array) for array in MOONS)
    sizes = []
    for decay in (0.0, 0.1):
        model = small_model(widths=(2, 8, 2))
        list(train(model, points, labels, LoopSettings(60, 32, 0.02, 4, weight_decay=decay)))
        sizes.append(sum(layer.weight.square().sum().item() for layer in model.layers))
    assert sizes[1] < sizes[0] / 2
    still = small_model(widths=(2, 8, 2))
    before = still.flat.clone()
    reports = list(
        train(still, points, labels, LoopSettings(1, 50, 0.02, 4, report_every=1, schedule=lambda done: 0.0))
    )
    assert torch.equal(still.flat, before)
    assert [r.end_of_epoch for r in reports] == [False, False, False, True]


def test_loop_stops_a_run_that_diverges():
    points, labels = (torch.from_numpy(array) for array in MOONS)
    reports = list(train(small_model(widths=(2, 8, 2)), points, labels, LoopSettings(50, 200, 1e6, 0, "sgd")))
    assert reports[-1].diverged
    assert len(reports) < 10
    with pytest.raises(InvalidInput, match="labels"):
        list(train(small_model(widths=(2, 8, 2)), points, labels[:3], LoopSettings(1, 5, 0.1, 0)))


def test_penalty_is_the_hinge_of_the_regions_distances():
    """Point by point from Algorithm 1's region, in NumPy."""
    model = small_model(3, widths=(3, 12, 10, 3))
    points, labels = small_points(12)
    net = model.network("net")
    expected = []
    for point, label in zip(points.numpy(), labels.numpy(), strict=True):
        region = activation_region(net, point)
        sizes = np.linalg.norm(region.P, axis=1)
        live = sizes > 0  # a row of zeros limits nothing
        faces = np.sort((region.P @ point + region.q)[live] / sizes[live])[:4]
        hinge = np.maximum(0, 1 - faces / 0.7).mean()
        logits = net(point)
        if logits.argmax() == label:
            gaps = [np.linalg.norm(region.C[label] - row) for row in region.C]
            planes = [(logits[label] - z) / gap for z, gap in zip(logits, gaps, strict=True) if gap > 0]
            hinge += max(0.0, 1 - min(planes, default=np.inf) / 0.9)
        expected.append(hinge)
    penalty = SimplexPenalty(2.0, 0.7, 0.9, faces=4, warm_up=0.5)
    assert penalty(model, points, labels, 1.0).item() == pytest.approx(2 * np.mean(expected), rel=1e-10)
    assert penalty(model, points, labels, 0.25).item() == pytest.approx(np.mean(expected), rel=1e-10)


def test_penalty_with_a_falling_margin_and_few_points():
    model, (points, labels) = small_model(3, widths=(3, 12, 10, 3)), small_points(12)
    falling = SimplexPenalty(
        1.0, 0.2, 0.9, None, decision_weight=0.0, warm_up=0, first_margin=0.8, settled=0.5, points=7
    )
    assert [falling.margin(done) for done in (0.0, 0.25, 0.5, 1.0)] == pytest.approx([0.8, 0.4, 0.2, 0.2])
    faces = all_distances(model.layers, points[:7], 2.0, labels[:7])[0]
    expected = 2 * (1 - faces / 0.4).relu().mean()  # 0.8 / 0.4 times the weight
    assert falling(model, points, labels, 0.25).item() == pytest.approx(expected.item(), rel=1e-12)


def test_penalty_gradient_matches_finite_differences():
    for sketch in (None, 7):
        model, (points, labels) = small_model(3), small_points(6)
        penalty = SimplexPenalty(1.0, 0.7, 0.9, sketch=sketch, warm_up=0)
        gradient = model.gradient(penalty(model, points, labels, 1.0))
        for place in range(0, len(model.flat), 5):
            values = []
            for shift in (1e-7, -2e-7):
                with torch.no_grad():
                    model.flat[place] += shift
                values.append(penalty(model, points, labels, 1.0).item())
            with torch.no_grad():
                model.flat[place] += 1e-7
            assert gradient[place].item() == pytest.approx((values[0] - values[1]) / 2e-7, abs=1e-5)


def test_sketched_distances_are_the_distances_on_average():
    """Exactly so where the sketch is orthogonal; else the row norms are right to the spread that the sketch has."""
    model = small_model(1, widths=(3, 30, 40, 3))
    points, labels = small_points(100)
    faces, decisions = all_distances(model.layers, points, 2.0, labels)
    same = sketched_distances(model.layers, points, labels, torch.eye(3, dtype=torch.float64))
    torch.testing.assert_close(same[0], faces, rtol=1e-12, atol=0)
    torch.testing.assert_close(same[1], decisions, rtol=1e-12, atol=0)
    squares = [
        (faces / sketched_distances(model.layers, points, labels, draw_sketch(3, 64, seed, torch.float64))[0]) ** 2
        for seed in range(40)
    ]
    ratio = torch.stack(squares).mean(0)
    assert (ratio - 1).abs().max() < 6 * (2 / (64 * 40)) ** 0.5


def test_pgd_stays_in_the_ball_and_raises_the_loss():
    model = small_model(2)
    points, labels = small_points(40)
    moved = PgdPerturbation(0.3)(model, points, labels)
    assert (moved - points).norm(dim=1).max() <= 0.3 * (1 + 1e-12)
    random = torch.nn.functional.normalize(
        torch.randn(points.shape, generator=torch.Generator().manual_seed(0)).double()
    )
    losses = [
        torch.nn.functional.cross_entropy(model(x), labels).item() for x in (points, points + 0.3 * random, moved)
    ]
    assert losses[2] > max(losses[:2]) + 0.02
    assert not moved.requires_grad


def test_toy_run_learns_and_keeps_snapshots():
    run = train_toy(*MOONS, ToySettings(epochs=200))
    assert run.status == "finished"
    assert not run.diverged
    assert run.accuracy > 0.97
    assert len(run.losses) == len(run.accuracies) == 200
    epochs = [snapshot.epoch for snapshot in run.snapshots]
    assert epochs == sorted(set(epochs))
    assert (epochs[0], epochs[-1]) == (0, 200)
    assert 20 <= len(epochs) <= 41
    assert run.snapshots[-1].network == run.network
    assert isinstance(run.network, Network)
    shown = run.network(MOONS[0]).argmax(1)
    assert (shown == MOONS[1]).mean() == pytest.approx(run.accuracy)


def test_toy_run_is_deterministic_by_seed():
    settings = ToySettings(epochs=20, hidden=(5, 4), batch=30)
    first, again = (train_toy(*MOONS, settings) for _ in range(2))
    assert [s.network.digest for s in first.snapshots] == [s.network.digest for s in again.snapshots]
    torch.manual_seed(99)
    state = torch.random.get_rng_state()
    other = train_toy(*MOONS, replace(settings, seed=1))
    assert other.network != first.network
    assert torch.equal(torch.random.get_rng_state(), state)  # nobody else's random numbers are touched


def test_toy_run_can_be_stopped():
    run = train_toy(*MOONS, ToySettings(epochs=100), on_step=lambda step: step.epoch == 7)
    assert (run.status, len(run.losses), run.snapshots[-1].epoch) == ("stopped", 7, 7)
    assert "7 of 100" in run.message
    steps = toy_steps(*MOONS, ToySettings(epochs=100))
    assert [next(steps).epoch for _ in range(3)] == [1, 2, 3]
    steps.close()


@pytest.mark.parametrize("method", ["plain", "adversarial", "simplex"])
@pytest.mark.parametrize(("optimizer", "batch"), rest_slow([("adam", 30), ("adam", None), ("sgd", 30)], 1))
def test_a_stopped_toy_run_goes_on_to_the_bit(method, optimizer, batch):
    settings = ToySettings(epochs=20, hidden=(5, 4), batch=batch, optimizer=optimizer, method=method, snapshots=6)
    whole, run = train_toy(*MOONS, settings), None
    for end in (3, 4, 11, 99):
        steps = toy_steps(*MOONS, settings, run)
        try:
            for step in steps:
                if step.epoch == end:
                    steps.send(True)
        except StopIteration as ended:
            run = ended.value
            assert (run.status, run.checkpoint.epoch) == ("stopped", end)
    *_, last = toy_steps(*MOONS, settings, run)
    assert last.snapshot.network == whole.network
    assert last.loss == whole.losses[-1]
    again = train_toy(*MOONS, settings)
    assert again.checkpoint is None


@pytest.mark.parametrize("settings", [ToySettings(optimizer="sgd", rate=50.0), ToySettings(rate=100.0, batch=20)])
def test_diverging_run_is_stopped_and_said_so(settings):
    run = train_toy(*MOONS, settings)
    assert run.diverged
    assert "learning rate" in run.message
    assert len(run.losses) < settings.epochs
    assert all(np.isfinite(weight).all() for weight in run.network.weights)
    assert np.isfinite(run.losses).all()


@pytest.mark.parametrize("method", ["plain", "adversarial", "simplex"])
@pytest.mark.parametrize("name", rest_slow(["spirals", "blobs"], 1))
def test_every_method_with_several_classes_and_layers(name, method):
    points, labels = toy_dataset(name)(150, classes=3)
    run = train_toy(
        points, labels, ToySettings(hidden=(12, 10, 8), method=method, epochs=60, batch=50, optimizer="adam")
    )
    assert run.status == "finished"
    assert run.network.classes == 3
    assert run.accuracies[-1] > 0.4


@pytest.mark.parametrize(
    "change",
    [
        {"hidden": ()},
        {"hidden": (8,) * 7},
        {"hidden": (65,)},
        {"hidden": (0,)},
        {"hidden": (2.5,)},
        {"method": "magic"},
        {"optimizer": "lion"},
        {"epochs": 0},
        {"epochs": 5001},
        {"rate": 0.0},
        {"rate": float("nan")},
        {"weight_decay": -1.0},
        {"batch": 0},
        {"seed": -1},
        {"radius": -0.1},
        {"strength": float("inf")},
        {"face_margin": 0.0},
        {"snapshots": 0},
    ],
)
def test_settings_out_of_bounds_are_refused(change):
    with pytest.raises(InvalidInput, match=next(iter(change))):
        ToySettings(**change)


@pytest.mark.parametrize(
    ("points", "labels"),
    [
        (np.zeros((3, 3)), [0, 1, 0]),
        (np.zeros((0, 2)), []),
        (np.full((3, 2), np.nan), [0, 1, 0]),
        (np.zeros((3, 2)), [0, 1]),
        (np.zeros((3, 2)), [0, 1, 0.5]),
        (np.zeros((3, 2)), [0, 1, -1]),
        (np.zeros((3, 2)), [0, 1, 11]),
    ],
)
def test_bad_points_are_refused(points, labels):
    with pytest.raises(InvalidInput):
        train_toy(points, labels)


def test_default_run_takes_two_seconds_of_processor_time():
    """500 epochs of 2-16-16-2 on 500 points; processor time, for the machine may be busy."""
    points, labels = toy_dataset("moons")(500)
    start = time.thread_time()
    train_toy(points, labels)
    assert time.thread_time() - start < 2.0


@pytest.mark.slow
@pytest.mark.parametrize("dataset", ["moons", "xor", "blobs"])
def test_regularised_presets_are_five_times_safer(dataset):
    """The simplex radius (0 where the class is wrong) on fresh points; equal accuracy within 2 points."""
    medians, accuracies = [], []
    for method in ("plain", "simplex"):
        preset = toy_preset(f"{dataset}-{method}")
        net = train_toy(*preset.points(), preset.settings).network
        points, labels = (torch.from_numpy(array) for array in preset.test_points())
        right = net.logits(points).argmax(1) == labels
        radii = torch.minimum(*simplex_distances(net, points)) * right
        medians.append(radii.median().item())
        accuracies.append(right.double().mean().item())
    assert medians[1] >= 5 * medians[0], f"{medians[1] / medians[0]:.1f} times"
    assert accuracies[1] >= accuracies[0] - 0.02, accuracies


def test_presets_differ_in_the_method_alone():
    for name, preset in TOY_PRESETS.items():
        dataset, method = name.split("-")
        assert preset.settings == replace(toy_preset(f"{dataset}-simplex").settings, method=method)
        train_points, test_points = preset.points()[0], preset.test_points()[0]
        assert not np.isin(train_points, test_points).any()
    with pytest.raises(InvalidInput, match="moons-plain"):
        toy_preset("suns")


@pytest.fixture
def tiny_mnist(tmp_path):
    """A folder that looks like MNIST, with 200 training images and 100 test images of the sample."""
    images, labels = mnist_sample()
    pixels = np.rint(images * 255).astype(np.uint8).reshape(-1, 28, 28)
    for stem, part in (("train", slice(0, 200)), ("t10k", slice(200, 300))):
        (tmp_path / f"{stem}-images-idx3-ubyte.gz").write_bytes(idx_bytes(pixels[part]))
        (tmp_path / f"{stem}-labels-idx1-ubyte.gz").write_bytes(idx_bytes(labels[part].astype(np.uint8)))
    return tmp_path


def parse(command, *words):
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return parser.parse_args(words)


def test_recipes_are_the_papers():
    for name in ("mnist-gt5-1024", "mnist-1024-512", "mnist-3x1024", "mnist-4x1024"):
        recipe = RECIPES[name]
        assert (recipe.epochs, recipe.batch, recipe.rate) == (20, 64, 0.001)
        assert recipe.table.startswith("Table")
    assert RECIPES["mnist-3x1024"].widths == (784, 1024, 1024, 1024, 10)
    assert RECIPES["mnist-40-40-40"].widths == (784, 40, 40, 40, 10)
    with pytest.raises(InvalidInput, match="mnist-20-20-20"):
        find_recipe("mnist")


def test_recipe_runs_and_is_repeatable(tiny_mnist):
    recipe = replace(RECIPES["mnist-gt5-1024"], widths=(784, 30, 2), epochs=8)
    told = []
    net, card = run_recipe(recipe, folder=tiny_mnist, on_progress=told.append)
    again, _ = run_recipe(recipe, folder=tiny_mnist)
    assert net == again
    assert net != run_recipe(recipe, folder=tiny_mnist, seed=5)[0]
    assert card.test_accuracy > 0.75
    assert card.classes == ("< 5", "> 5")
    assert told[-1].done == 1.0
    assert net.stored_dtype == "float32"


def test_regularised_recipe_goes_on_from_the_shipped_network(tiny_mnist):
    for path in tiny_mnist.glob("t10k*"):  # ten test images: the card's median takes half a second for each
        path.write_bytes(idx_bytes(read_idx(path)[:10]))
    recipe = replace(RECIPES["mnist-1024-512-regularised"], epochs=1, batch=50)
    net, card = run_recipe(recipe, folder=tiny_mnist)
    shipped, before = load_model("mnist-1024-512"), mnist_sample()[0][:200]
    moved = np.abs(net.weights[0] - shipped.weights[0]).max()
    assert 0 < moved < 0.02  # four steps of Adam at 0.002 or less
    assert (net(before).argmax(1) == shipped(before).argmax(1)).mean() > 0.5
    assert "mnist-1024-512" in card.recipe["initialization"]
    assert card.recipe["penalty"]["face_margin"] == recipe.penalty.face_margin
    (median,) = card.measured.values()
    radii = torch.minimum(*simplex_distances(net, torch.from_numpy(mnist_sample()[0][200:210])))
    assert median == pytest.approx(np.median(radii.numpy()), rel=1e-3)


def test_train_command_writes_network_and_card(tiny_mnist, capsys, monkeypatch):
    monkeypatch.setitem(RECIPES, "mnist-20-20-20", replace(RECIPES["mnist-20-20-20"], epochs=2))
    out = tiny_mnist / "net.safetensors"
    arguments = parse(
        train_command, "train", "--recipe", "mnist-20-20-20", "--out", str(out), "--data", str(tiny_mnist)
    )
    assert arguments.run(arguments) == 0
    shown = capsys.readouterr()
    assert "test accuracy" in shown.out
    assert "100.0 %" in shown.err
    assert load_network(out).widths == (20, 20, 20)
    assert out.with_suffix(".json").is_file()


def test_commands_say_what_is_wrong(tmp_path, capsys):
    for command, words in (
        (train_command, ["train", "--recipe", "nothing"]),
        (train_command, ["train", "--recipe", "mnist-20-20-20", "--data", str(tmp_path)]),
        (models_command, ["models", "nothing"]),
        (data_command, ["data", "--folder", str(tmp_path)]),
    ):
        arguments = parse(command, *words)
        assert arguments.run(arguments) == 2
        shown = capsys.readouterr()
        assert shown.err.count("\n") == 1
        assert not shown.out


def test_models_and_data_commands_list(tiny_mnist, capsys):
    for words in (["models"], ["models", "mnist-20-20-20"], ["models", "--json"]):
        arguments = parse(models_command, *words)
        assert arguments.run(arguments) == 0
        assert "mnist-20-20-20" in capsys.readouterr().out
    arguments = parse(data_command, "data", "--folder", str(tiny_mnist))
    assert arguments.run(arguments) == 0
    assert "200 training and 100 test" in capsys.readouterr().out
    arguments = parse(train_command, "train", "--recipe", "list")
    assert arguments.run(arguments) == 0
    assert all(card.name in capsys.readouterr().out for card in list_models()[:1])
