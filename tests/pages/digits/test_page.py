"""The digits page, driven through the router without a browser."""

from __future__ import annotations

import base64
import functools
import io
import json
import math
import re
import time
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
import streamlit as st
from PIL import Image

import relucert_core as rc
from pages.digits.answers import Answers, as_json
from pages.digits.code import digit_code
from pages.shared import words
from pages.shared.digit_pad import SIDE, checked_png
from pages.shared.gallery import picked_image
from relucert_core.datasets.packing import pack_digit, unpack_digit
from relucert_core.experiments.best_known import nothing_known
from relucert_core.figures.axis import DistanceAxis
from tests.helpers import rest_slow
from tests.pages.helpers import control, figures, headline, open_page, texts

PAGE = "digits"
SMALL = "mnist-20-20-20"


def small(**query):
    return open_page(PAGE, digits_net=SMALL, **query)


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def picture_of(index: int) -> bytes:
    """A shipped digit as somebody would scan it: dark on light, large."""
    levels = (255 - rc.mnist_sample()[0][index] * 255).astype(np.uint8).reshape(28, 28)
    return png(Image.fromarray(levels).resize((280, 280), Image.Resampling.BICUBIC))


def test_first_digit_is_certified_without_a_click():
    at = open_page(PAGE)
    assert not at.exception
    net = rc.load_model("mnist-1024-512")
    x = rc.mnist_sample()[0][0]
    radius = max(rc.certify(net, x, method=name).radius for name in ("simplex", "crown-ada"))
    printed = float(re.search(r"Safe to \*\*([0-9.]+)\*\*", headline(at)).group(1))
    assert printed >= float(words.down(radius))
    assert "Reads **7**" in headline(at)
    assert "What limits it" in [e.label for e in at.expander]


def test_the_quick_answers_cost_less_than_a_second():
    """What the page waits for after a choice on the large network; the figures cost a tenth of a second more."""
    net, images = rc.load_model("mnist-1024-512"), rc.mnist_sample()[0]
    rc.certify(net, images[0])
    begun = time.thread_time()
    rc.certify(net, images[11])
    rc.attack(net, images[11], method="deepfool")
    assert time.thread_time() - begun < 1


@pytest.mark.usefixtures("every_method")
def test_lower_bounds_stay_below_upper_bounds_on_the_line():
    at = small(digits_image="5")
    first = figures(at)[0]
    marks = [trace for trace in first["data"] if trace.get("mode") == "markers"]
    lower = [x for trace in marks if trace["marker"]["symbol"] == "triangle-right" for x in _numbers(trace["x"])]
    upper = [x for trace in marks if trace["marker"]["symbol"] == "x" for x in _numbers(trace["x"])]
    assert lower
    assert upper
    assert max(lower) <= min(upper)


def _numbers(values):
    return values if isinstance(values, list) else np.frombuffer(base64.b64decode(values["bdata"])).tolist()


@pytest.mark.usefixtures("every_method")
def test_at_most_three_values_are_named():
    annotations = figures(small())[0]["layout"]["annotations"]
    assert 2 <= len([a for a in annotations if "<b>" in a["text"]]) <= 3


@pytest.mark.usefixtures("every_method")
@pytest.mark.parametrize("norm", ["L1", "L2", "Linf"])
def test_norms_change_the_numbers_and_are_named(norm):
    at = small(digits_norm=norm)
    assert not at.exception
    assert f"({norm})" in headline(at)


@pytest.mark.parametrize("name", rest_slow([card.name for card in rc.list_models()], 4))
def test_every_shipped_network_answers(name):
    at = open_page(PAGE, digits_net=name, digits_image="1")
    assert not at.exception
    assert not at.error
    reads = rc.list_models()[[c.name for c in rc.list_models()].index(name)].classes
    cert = rc.certify(rc.load_model(name), rc.mnist_sample()[0][1])
    assert reads[cert.prediction] in headline(at).split(".")[0]


def test_another_digit_in_view_changes_picture_and_link():
    at = small()
    at.session_state["digits_fields"] = replace(at.session_state["digits_fields"], image=4)
    at.run()
    assert not at.exception
    assert "test image 4" in str(at.get("image")[0].proto)
    assert at.query_params["digits_image"] == "4"


@pytest.mark.parametrize(
    ("value", "index"),
    [
        ({"picked": [3, 1]}, 3),
        ({"picked": [1000, 1]}, None),
        ({"picked": ["3"]}, None),
        ({"picked": [True]}, None),
        ({"picked": [-1]}, None),
        ({"picked": None}, None),
        ("nonsense", None),
        ({"picked": [2.0]}, None),
        ({}, None),
    ],
)
def test_what_the_gallery_sends_is_checked(monkeypatch, value, index):
    monkeypatch.setattr(st, "session_state", {"k": value})
    assert picked_image("k", 1000) == index


def test_filters_show_one_class_or_the_misread():
    at = small()
    at.selectbox(key="digits_filter").set_value("Misread ones").run()
    assert not at.exception
    assert "misread as" in str(at.get("bidi_component")[1].proto)
    assert re.match(r"Reads \*\*\d\*\*; it is a \d\. ", headline(at)), "one of them is in view, and says so"
    at.selectbox(key="digits_filter").set_value("3").run()
    assert not at.exception


def test_drawn_digit_travels_in_the_link():
    rng = np.random.default_rng(3)
    levels = np.zeros((28, 28), np.uint8)
    levels[6:22, 12:16] = rng.integers(120, 256, (16, 4))
    at = small(digits_ink=pack_digit(levels))
    assert not at.exception
    assert not at.error
    cert = rc.certify(rc.load_model(SMALL), levels.reshape(-1) / 255.0)
    assert f"Reads **{cert.prediction}**" in headline(at)
    assert 'unpack_digit("' in texts(at)


@pytest.mark.parametrize(
    "query",
    [
        {"digits_ink": "r"},
        {"digits_ink": "x" * 5000},
        {"digits_ink": "<b>"},
        {"digits_image": "1000"},
        {"digits_image": "-1"},
        {"digits_image": "٣"},
        {"digits_image": ""},
        {"digits_ink": "../../etc"},
    ],
)
def test_damaged_links_are_said_in_one_sentence(query):
    at = small(**query)
    assert not at.exception
    assert not at.error
    assert len(at.warning) == 1
    assert "The link was put right" in at.warning[0].value
    assert "Reads **" in headline(at)


@pytest.mark.parametrize("query", [{"digits_norm": "3"}, {"digits_net": "nothing"}, {"digits_way": "fly"}])
def test_unknown_settings_fall_back_to_the_defaults(query):
    at = open_page(PAGE, **({"digits_net": SMALL} | query))
    assert not at.exception
    assert len(at.warning) == 1
    assert "Reads **" in headline(at)


def test_upload_is_certified_and_kept_after_a_broken_one():
    at = small(digits_way="Upload")
    at.file_uploader(key="digits_upload").upload("four.png", picture_of(4), "image/png").run()
    assert not at.exception
    assert not at.error
    assert "Reads **4**" in headline(at)
    at.file_uploader(key="digits_upload").upload("four.png", b"\x89PNG\r\n\x1a\nbroken", "image/png").run()
    assert not at.exception
    assert len(at.error) == 1
    assert "Reads **4**" in headline(at)


def test_a_picture_with_two_readings_shows_both_and_asks():
    from tests.datasets.test_pictures import shadowed

    at = small(digits_way="Upload")
    data = shadowed(rc.mnist_sample()[0][4], 0.3, 0.0)
    at.file_uploader(key="digits_upload").upload("shadow.png", data, "image/png").run()
    assert not at.exception
    assert "Reads **4**" in headline(at)
    assert any("can be read in two ways" in text.value for text in at.markdown)
    assert at.button(key="digits_reading_1").disabled
    first = headline(at)
    at.button(key="digits_reading_2").click().run()
    assert not at.exception
    assert headline(at) != first
    assert at.button(key="digits_reading_2").disabled
    at.file_uploader(key="digits_upload").upload("four.png", picture_of(4), "image/png").run()
    assert not any("can be read in two ways" in text.value for text in at.markdown)


def test_no_picture_and_no_link_gives_pixels_beyond_one():
    """So the pages have nothing to warn of: a digit is 784 bytes over 255, wherever it comes from."""
    from pages.shared import engine
    from tests.datasets.test_pictures import WAYS

    for way in WAYS.values():
        for pixels in engine.readings_of(way(rc.mnist_sample()[0][4])):
            assert len(pixels) == 784
            assert 0 <= engine.as_point(pixels).min() <= engine.as_point(pixels).max() <= 1
    for word in (pack_digit(np.full(784, 255, np.uint8)), pack_digit(rc.mnist_sample()[0][0])):
        assert 0 <= unpack_digit(word).min() <= unpack_digit(word).max() <= 1


@pytest.mark.parametrize("query", [{}, {"digits_image": "7", "digits_norm": "Linf", "digits_valid": "true"}])
def test_the_code_runs_as_printed(query, capsys, monkeypatch):
    monkeypatch.setattr(rc, "best_known", functools.partial(rc.best_known, max_seconds=0.2))  # ten, unless one says it
    at = small(**query)
    code = next(element.value for element in at.code if element.value.startswith("import relucert_core"))
    exec(compile(code, "expander", "exec"), {})
    printed = capsys.readouterr().out
    cert = rc.certify(
        rc.load_model(SMALL),
        rc.mnist_sample()[0][int(query.get("digits_image", 0))],
        norm=query.get("digits_norm", "L2"),
    )
    assert printed.startswith(f"reads {cert.prediction}; safe to ")
    assert f"the region around it: safe to {words.down(cert.radius)}, limited by {cert.limit}" in printed
    assert ("with pixels from black to white" in printed) == ("digits_valid" in query)


def test_the_code_of_a_drawn_digit_runs(capsys):
    code = digit_code(SMALL, pack_digit(rc.mnist_sample()[0][2]), 2.0)
    exec(compile(code, "expander", "exec"), {})
    assert capsys.readouterr().out.startswith("reads 1; safe to ")


def test_numbers_come_as_json_without_infinities():
    net, x = rc.load_model(SMALL), rc.mnist_sample()[0][0]
    answers = Answers(nothing_known(net, x, 2.0, 7), [rc.CERTIFICATES["simplex"]], [rc.ATTACKS["deepfool"]])
    answers.certificates["simplex"] = rc.certify(net, x)
    answers.attacks["deepfool"] = rc.attack(net, x)
    record = json.loads(as_json(answers, {"network": SMALL}, net(x).tolist()))
    assert record["certificates"][0]["radius"] == answers.region.radius
    assert record["attacks"][0]["point"] == answers.attacks["deepfool"].point.tolist()
    assert record["nearest_decision_point_in_region"] is None
    assert record["headline"]["shown"] == [words.down(answers.best.lower), words.up(answers.best.upper)]


def test_region_distance_runs_on_request():
    at = small()
    button = next(b for b in at.button if "inside this region" in b.label)
    button.click().run()
    assert not at.exception
    inside = rc.region_distance(rc.load_model(SMALL), rc.mnist_sample()[0][0])
    expected = f"**{words.up(inside.distance)}**" if inside.witness is not None else "No other answer was found"
    assert expected in texts(at)


def test_keys_pick_the_first_image_of_a_class(monkeypatch):
    import pages.shared.keys as module

    for value, key in [(["3", 1], "3"), (["r", 2], "r"), (["x", 3], None), ("3", "3"), ([3], None), (None, None)]:
        monkeypatch.setattr("streamlit.session_state", {"k": {"pressed": value}})
        assert module.pressed_key("k") == (key if isinstance(value, list) else None)


def test_only_the_pads_own_pictures_are_taken():
    def url(data: bytes) -> str:
        return "data:image/png;base64," + base64.b64encode(data).decode()

    good = png(Image.new("RGBA", (SIDE, SIDE)))
    assert checked_png(url(good)) == good
    for bad in (
        url(png(Image.new("L", (281, 280)))),
        url(b""),
        url(b"GIF89a" * 20),
        "data:image/png;base64,!!",
        5,
        None,
    ):
        assert checked_png(bad) is None
    assert checked_png(url(good + bytes(200_000))) is None


@pytest.mark.parametrize(
    "value", [1e-300, 3.3e-7, 0.00099999, 0.0012345, 0.5, 0.995, 1.0, 9.96, 12.34, 99.9, 12345.6, 1e9]
)
def test_printed_guarantees_are_rounded_down_and_distances_up(value):
    def read(text: str) -> Decimal:
        mantissa, _, exponent = text.partition(" × 10^")
        return Decimal(mantissa) * Decimal(10) ** int(exponent or 0)

    low, high = read(words.down(value)), read(words.up(value))
    assert low <= Decimal(value) <= high
    assert high - low <= Decimal(value) * Decimal("0.11")


def test_axis_has_rails_for_zero_and_infinity():
    axis = DistanceAxis.for_values([0.0, 0.003, 2.0, math.inf])
    places = [axis.place(v) for v in (0.0, 0.003, 2.0, math.inf)]
    assert places == sorted(places)
    assert places[0] < axis.low
    assert places[-1] > axis.high
    assert 0 <= axis.share(0.0) < axis.share(2.0) < axis.share(math.inf) <= 1


def test_the_part_of_the_gallery_is_in_the_link():
    at = open_page("digits", digits_net="mnist-20-20-20", digits_part="3")
    assert not at.exception
    part = control(at, "number_input", "digits_part")
    assert (part.value, part.label) == (3, "Part (of 17)")
    part.set_value(5).run()
    assert at.query_params["digits_part"] in ("5", ["5"])
    assert at.session_state["digits_fields"].part == 5
    at = open_page("digits", digits_net="mnist-20-20-20", digits_image="700")
    assert control(at, "number_input", "digits_part").value == 1 + 700 // 60, "the digit in view is among them"
    assert "digits_part" not in at.query_params
