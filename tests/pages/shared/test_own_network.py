"""A network of one's own on the pages: uploaded, judged, mended, kept out of links, shown as text."""

import io

import numpy as np
import pytest
import torch
from torch import nn

import relucert_core as rc
from pages.shared.own import SCALES, Own, reading_code, who_wins
from relucert_core.importers.for_digits import card_of, for_digits
from tests.helpers import rest_slow
from tests.pages.helpers import control, open_page, texts

EVIL = "<b>[x](http://a.b)**.pth"


def module_of(name: str) -> nn.Sequential:
    """A shipped network as a torch module."""
    net = rc.load_model(name)
    parts: list[nn.Module] = []
    for weight, bias in zip(net.weights, net.biases):
        linear = nn.Linear(*weight.shape[::-1])
        linear.load_state_dict({"weight": torch.tensor(weight).float(), "bias": torch.tensor(bias).float()})
        parts += [linear, nn.ReLU()]
    return nn.Sequential(*parts[:-1])


def saved(module: nn.Module) -> bytes:
    data = io.BytesIO()
    torch.save(module.state_dict(), data)
    return data.getvalue()


def rescaled(module: nn.Sequential, low: float, high: float) -> nn.Sequential:
    """The module for pixels that run from low to high."""
    with torch.no_grad():
        first = module[0]
        first.bias -= first.weight.sum(1) * (low / (high - low))
        first.weight /= high - low
    return module


def uploaded(page: str, data: bytes, name: str = "mine.pth", **query: str):
    at = open_page(page, **query)
    at.checkbox(key=f"{page}_own_relu").check().run()
    at.file_uploader(key=f"{page}_own_file").upload(name, data).run()
    assert not at.exception
    return at


@pytest.mark.parametrize("page", rest_slow(["digits", "beyond"], 1))
def test_an_uploaded_network_is_judged_and_certified_as_a_shipped_one(page, monkeypatch, read_apart):
    monkeypatch.setattr("pages.digits.live.SECONDS", 0.0)
    at = uploaded(page, saved(module_of("mnist-20-20-20")), EVIL)
    net = rc.load_model("mnist-20-20-20")
    images, labels = rc.mnist_sample()
    right = float((net(images).argmax(1) == labels).mean())
    assert f"{100 * right:.1f} % of the shipped digits right" in texts(at)
    assert f"own-{net.digest[:12]}" in str(at.query_params)
    assert "<b>[x](http" not in "".join(m.value for m in at.markdown)
    assert f"rc.read_network({EVIL!r}, activation='relu')" in "".join(c.value for c in at.code)
    assert not [w for w in at.warning if "under 50 %" in w.value]


@pytest.mark.parametrize(
    "words", [list(SCALES)[1], *(pytest.param(w, marks=pytest.mark.slow) for w in list(SCALES)[2:])]
)
def test_a_wrong_scale_is_seen_and_mended_by_a_button(words, monkeypatch):
    monkeypatch.setattr("pages.digits.live.SECONDS", 0.0)
    low, high = SCALES[words]
    spoilt = rescaled(module_of("mnist-20-20-20"), *((low, high) if high > 3 else (40 * low, 40 * high)))
    at = uploaded("digits", saved(spoilt))
    assert [w for w in at.warning if "under 50 %" in w.value]
    assert [b.label for b in at.button if b.label.startswith("Its pixels run")] == [
        f"Its pixels run {scale}" for scale in list(SCALES)[1:]
    ]
    if high > 3:
        next(b for b in at.button if b.label == f"Its pixels run {words}").click().run()
    else:
        at = uploaded("digits", saved(rescaled(module_of("mnist-20-20-20"), low, high)))
        at.selectbox(key="digits_own_scale").select(words).run()
    assert not at.exception
    own = at.session_state["own_networks"][control(at, "selectbox", "digits_net").value]
    assert own.right > 0.9
    assert own.net.card.trained_on == SCALES[words]


def test_a_link_to_a_network_that_is_not_here_asks_for_its_file(monkeypatch):
    monkeypatch.setattr("pages.digits.live.SECONDS", 0.0)
    at = open_page("digits", digits_net="own-0123456789ab")
    assert not at.exception
    assert any("upload it again" in i.value for i in at.info)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("n.pth", b"junk", "torch.save"),
        ("n.onnx", b"\x08junk", "ONNX"),
        ("n.nnet", b"// which score wins is never guessed", "choose it at 'The class is the'"),
        ("n.pth", saved(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))), "3 inputs"),
        ("n.pth", saved(nn.Sequential(nn.Linear(784, 4), nn.ReLU(), nn.Linear(4, 11))), "11 classes"),
    ],
)
def test_other_files_are_refused_in_a_sentence(name, data, words, monkeypatch):
    monkeypatch.setattr("pages.digits.live.SECONDS", 0.0)
    at = uploaded("digits", data, name, digits_net="mnist-20-20-20")
    assert words in at.error[0].value.replace("\\", "").replace("\u2060", "")


def test_only_a_file_that_has_to_be_told_is_told_which_score_wins():
    assert who_wins(None, "n.onnx") == who_wins("largest score", "n.pth") == {}
    assert who_wins("smallest score", "n.pth") == who_wins("smallest score", "n.NNET") == {"best": "min"}
    assert who_wins("largest score", "n.nnet") == {"best": "max"}
    with pytest.raises(rc.InvalidInput, match="choose it"):
        who_wins(None, "acas.NNET")


def test_a_border_of_two_pixels_is_dropped_without_rounding():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 2, 5, stride=3), nn.ReLU(), nn.Flatten(), nn.Linear(200, 3))
    whole = rc.read_network(module, input_shape=(1, 32, 32))
    net = for_digits(whole)
    x = np.random.default_rng(0).random(784)
    np.testing.assert_allclose(net(x), whole(np.pad(x.reshape(28, 28), 2).ravel()), rtol=1e-12)
    assert net.inputs == 784
    own = Own("n.onnx", {}, net, card_of(net, "own-1", "n.onnx", 0.5), 0.5, ())
    assert own.card.labels[:4] == (0, 1, 2, None)
    assert reading_code("mnist-20-20-20") == 'rc.load_model("mnist-20-20-20")'
