"""The door itself: state dicts, .nnet files, options, what is refused, the process apart, the command line."""

import io
import itertools
import pickle
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

import relucert_core as rc
from relucert_core.cli import main
from relucert_core.importers.apart import read_apart


def chain(*widths):
    layers = [x for a, b in itertools.pairwise(widths) for x in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def saved(table):
    data = io.BytesIO()
    torch.save(table, data)
    return data.getvalue()


def named(module, names):
    linear = [layer for layer in module if isinstance(layer, nn.Linear)]
    return {f"{n}.{k}": getattr(layer, k).detach() for n, layer in zip(names, linear) for k in ("weight", "bias")}


def test_a_state_dict_is_read_when_its_activation_is_said():
    module = chain(3, 5, 4, 2)
    data = saved(module.state_dict())
    net = rc.read_network(data, name="n.pth", activation="relu")
    assert net == rc.read_network(module)
    assert net.card.difference is None
    assert "replay: not replayed" in net.card.lines()
    assert rc.read_network(saved({"state_dict": module.state_dict()}), name="n.pt", activation="relu") == net
    with pytest.raises(rc.InvalidInput, match='activation="relu"'):
        rc.read_network(data, name="n.pth")


def test_the_order_of_layers_is_never_guessed(tmp_path):
    module = chain(2, 6, 2, 2)
    table = named(module, ["input", "hidden", "output"])
    with pytest.raises(rc.InvalidInput, match=r"more than one order.*layers=\[\.\.\.\]"):
        rc.read_network(saved(table), name="n.pth", activation="relu")
    net = rc.read_network(saved(table), name="n.pth", activation="relu", layers=["input", "hidden", "output"])
    assert net == rc.read_network(module)
    only_way = named(chain(3, 5, 4, 2), ["fc_b", "head", "fc_a"])
    assert rc.read_network(saved(only_way), name="n.pth", activation="relu").widths == (5, 4)
    tens = named(chain(2, 2, 2, 2), ["fc10", "fc9", "fc11"])
    assert rc.read_network(saved(tens), name="n.pth", activation="relu").weights[0] is not None
    apart = named(chain(2, 3, 4, 2), ["a", "b", "c"]) | {"b.weight": torch.zeros(7, 7), "b.bias": torch.zeros(7)}
    with pytest.raises(rc.InvalidInput, match="no order of them fits"):
        rc.read_network(saved(apart), name="n.pth", activation="relu")
    with pytest.raises(rc.InvalidInput, match="not an order of the layers found"):
        rc.read_network(saved(table), name="n.pth", activation="relu", layers=["input", "output"])


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"bn.running_mean": torch.zeros(3)}, "neither a weight nor a bias"),
        ({"conv.weight": torch.zeros(1, 1, 3, 3), "conv.bias": torch.zeros(1)}, "a convolution"),
        ({"lone.weight": torch.zeros(2, 2)}, "stands alone"),
        ({"note": "text"}, "no tensor"),
        ({"whole.weight": torch.zeros(2, 2, dtype=torch.int64)}, "no plain tensor"),
    ],
)
def test_other_tables_are_refused(extra, words):
    with pytest.raises(rc.RelucertError, match=words):
        rc.read_network(saved(dict(chain(2, 3, 2).state_dict()) | extra), name="n.pth", activation="relu")


def test_archives_are_measured_before_they_are_unpacked():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"0" * 200_000_000)
    assert len(data.getvalue()) < 300_000
    with pytest.raises(rc.InvalidInput, match="would unpack to"):
        rc.read_network(data.getvalue(), name="n.pth")


class Evil:
    def __reduce__(self):
        return print, ("ran",)


def test_nothing_of_a_file_is_run(capsys):
    with pytest.raises(rc.Unsupported, match="could run code"):
        rc.read_network(saved({"a.weight": Evil()}), name="n.pth", activation="relu")
    for name in ("n.pkl", "n.pt2", "n.py", "n.h5", "n.keras", "n.joblib"):
        with pytest.raises(rc.Unsupported, match=r"(?i)onnx"):
            rc.read_network(pickle.dumps(Evil()), name=name)
    with pytest.raises(rc.Unsupported, match="pickle"):
        rc.read_network(pickle.dumps(Evil()))
    assert "ran" not in capsys.readouterr().out


NNET = """// made by hand
2, 2, 2, 3,
2, 3, 2,
0,
-1.0,-2.0,
1.0,2.0,
0.1,0.2,0.5,
2.0,4.0,3.0,
1.0,-1.0,
0.5,2.0,
-1.0,0.25,
0.1,
0.2,
-0.3,
1.0,2.0,-1.0,
0.5,-0.5,1.5,
0.0,
0.7,
"""


def by_hand(x):
    x = (np.clip(x, [-1, -2], [1, 2]) - [0.1, 0.2]) / [2.0, 4.0]
    hidden = np.maximum(np.array([[1.0, -1.0], [0.5, 2.0], [-1.0, 0.25]]) @ x + [0.1, 0.2, -0.3], 0)
    return (np.array([[1.0, 2.0, -1.0], [0.5, -0.5, 1.5]]) @ hidden + [0.0, 0.7]) * 3.0 + 0.5


def test_nnet_files_clip_and_normalise(tmp_path):
    path = tmp_path / "acas.nnet"
    path.write_text(NNET)
    net = rc.read_network(path, best="max")
    for x in ([0.3, 0.4], [5.0, -7.0], [-0.2, 1.9]):
        np.testing.assert_allclose(net(np.array(x)), by_hand(np.array(x)), rtol=1e-12)
    np.testing.assert_allclose(rc.read_network(path, best="min")(np.zeros(2)), -by_hand(np.zeros(2)), rtol=1e-12)
    with pytest.raises(rc.InvalidInput, match="which score wins"):
        rc.read_network(path)
    lines = NNET.splitlines()
    for cut in range(1, len(lines)):
        with pytest.raises(rc.InvalidInput, match=r"\.nnet"):
            rc.read_network("\n".join(lines[:cut]).encode(), name="n.nnet", best="max")


def test_trained_on_keeps_points_between_0_and_1():
    module = chain(3, 4, 2)
    net = rc.read_network(module, trained_on=(-1, 3))
    x = np.array([0.1, 0.5, 0.9])
    np.testing.assert_allclose(net(x), rc.read_network(module)(-1 + 4 * x), rtol=1e-12)
    assert net.card.trained_on == (-1.0, 3.0)


@pytest.fixture(scope="module")
def read_elsewhere():
    """A network that a process apart has read."""
    return read_apart(saved(chain(3, 4, 2).state_dict()), "n.pth", activation="relu", seconds=60)


def test_points_of_bytes_are_refused_by_what_came_through_the_door(read_elsewhere):
    for net in (
        rc.read_network(chain(3, 4, 2)),
        rc.read_network(chain(3, 4, 2), trained_on=(0, 255)),
        read_elsewhere,
    ):
        assert net.input_range == (0.0, 1.0)
        with pytest.raises(rc.InvalidInput, match="divide them by 255"):
            net(np.zeros((1, 3), dtype=np.uint8))
    assert rc.read_network(NNET.encode(), name="n.nnet", best="min").input_range is None


def test_max_pooling_and_carried_values_survive_saving(tmp_path):
    module = nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 2))
    net = rc.read_network(module, input_shape=(1, 5, 5), classes=["no", "yes"])
    assert net.card.classes == ("no", "yes")
    assert not net.is_chain
    rc.save_network(net, tmp_path / "n.safetensors")
    assert rc.read_network(tmp_path / "n.safetensors") == net


def test_options_are_checked():
    module = chain(2, 3, 2)
    for options, words in (
        ({"best": "most"}, "best is"),
        ({"trained_on": (1, 0)}, "a < b"),
        ({"trained_on": (1, 2, 3)}, "a pair of numbers"),
        ({"classes": 3}, "gives 2 scores"),
        ({"input_shape": (0,)}, "at least 1"),
    ):
        with pytest.raises(rc.InvalidInput, match=words):
            rc.read_network(module, **options) if options != {"trained_on": "01"} else rc.read_network(
                module, trained_on=(2, 1)
            )
    with pytest.raises(rc.DataUnavailable, match="no network"):
        rc.read_network("nowhere.onnx")
    with pytest.raises(rc.InvalidInput, match="a list came"):
        rc.read_network([1, 2])


def test_a_process_apart_reads_and_refuses(read_elsewhere):
    assert read_elsewhere.card.source == "a state dict"
    with pytest.raises(rc.InvalidInput, match="activation"):
        read_apart(saved(chain(3, 4, 2).state_dict()), "n.pth", seconds=60)


def test_the_command_line_inspects(tmp_path, capsys, monkeypatch):
    path = tmp_path / "n.pth"
    path.write_bytes(saved(chain(3, 4, 2).state_dict()))
    assert main(["models", "--inspect", str(path), "--activation", "relu"]) == 0
    out = capsys.readouterr().out
    assert "source: a state dict" in out
    assert "neurons: 4" in out
    assert "simplex: runs" in out
    here = lambda data, name, files, **about: rc.read_network(data, name=name, files=files, **about)  # noqa: E731
    monkeypatch.setattr("relucert_core.importers.apart.read_apart", here)  # one process apart is enough
    assert main(["models", "--inspect", str(path)]) == 2
    assert 'activation="relu"' in capsys.readouterr().err
    assert main(["search", "--model", str(path), "--activation", "relu"]) == 2
    assert "784 pixels" in capsys.readouterr().err
    wide = tmp_path / "wide.pth"
    wide.write_bytes(saved(chain(784, 5, 10).state_dict()))
    assert main(["search", "--model", str(wide), "--activation", "relu", "--seconds", "2"]) == 0
    assert "image 0, L2: between" in capsys.readouterr().out
    assert main(["search", "--model", str(wide), "--activation", "relu", "--ship"]) == 2
    assert "--out FILE" in capsys.readouterr().err
