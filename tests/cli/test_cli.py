"""The command line: certify, attack, models, and what it says to bad arguments."""

import json

import numpy as np
import pytest

import relucert_core as rc
from relucert_core.cli import main
from relucert_core.jobs.lines import read_lines

CERTIFY = ["certify", "--model", "mnist-20-20-20", "--data", "mnist-sample"]


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_certify_writes_a_line_an_image_and_method(tmp_path):
    out = tmp_path / "radii.jsonl"
    assert main([*CERTIFY, "--first", "3", "--attack", "deepfool", "--out", str(out)]) == 0
    entries = lines(out)
    assert len(entries) == 6
    images, labels = rc.mnist_sample()
    net = rc.load_model("mnist-20-20-20")
    simplex = [e for e in entries if e["method"] == "simplex"]
    np.testing.assert_array_equal([e["radius"] for e in simplex], rc.certify(net, images[:3]).radius)
    assert [e["ratio"] for e in simplex] == rc.certify(net, images[:3]).ratio.tolist()
    assert [e["label"] for e in simplex] == labels[:3].tolist()
    deepfool = [e for e in entries if e["kind"] == "attack"]
    assert all(a["distance"] >= c["radius"] for a, c in zip(deepfool, simplex))
    assert {"image", "norm", "guarantee", "status", "prediction", "limit", "seconds", "run"} <= set(simplex[0])


def test_certify_goes_on_where_it_was_stopped(tmp_path):
    out = tmp_path / "radii.jsonl"
    main([*CERTIFY, "--first", "3", "--out", str(out)])
    first = out.read_text()
    out.write_text(first + first[:40])  # the next line was cut off in writing
    assert main([*CERTIFY, "--first", "5", "--out", str(out)]) == 0
    assert out.read_text().startswith(first + first[:40] + "\n")
    whole = [line.entry for line in read_lines(out) if line.entry]
    assert len({e["image"] for e in whole}) == len(whole) == 5


def test_a_file_of_other_settings_is_not_mixed(tmp_path, capsys):
    out = tmp_path / "radii.jsonl"
    main([*CERTIFY, "--first", "1", "--out", str(out)])
    assert main([*CERTIFY, "--first", "1", "--norm", "inf", "--out", str(out)]) == 2
    assert "other settings" in capsys.readouterr().err
    out.write_text("not ours\n")
    assert main([*CERTIFY, "--first", "1", "--out", str(out)]) == 2
    assert "no line of a run" in capsys.readouterr().err


def test_reads_npz_files_and_folders_of_pictures(tmp_path, capsys):
    from PIL import Image

    images, labels = rc.mnist_sample()
    np.savez(tmp_path / "some.npz", images=images[:2].reshape(2, 28, 28), labels=labels[:2])
    assert main(["certify", "--model", "mnist-20-20-20", "--data", str(tmp_path / "some.npz")]) == 0
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [e["prediction"] for e in entries] == labels[:2].tolist()
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.fromarray((255 * images[0].reshape(28, 28)).astype(np.uint8)).save(folder / "seven.png")
    (folder / "broken.png").write_bytes(b"no picture")
    assert main(["certify", "--model", "mnist-20-20-20", "--data", str(folder)]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["prediction"] == 7
    assert "'broken.png' was left out" in captured.err


def test_labels_are_translated_and_unknown_digits_left_out(capsys):
    arguments = ["certify", "--model", "mnist-gt5-1024", "--data", "mnist-sample", "--first", "10"]
    assert main([*arguments, "--method", "simplex,decision-boundary", "--use-labels"]) == 0
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(entries) == 20
    digits = [d for d in rc.mnist_sample()[1] if d != 5][:10]
    assert [e["label"] for e in entries[:10]] == [int(d > 5) for d in digits]


def test_attack_keeps_pixels_valid_and_models_lists(capsys):
    arguments = [
        "attack",
        "--model",
        "mnist-20-20-20",
        "--data",
        "mnist-sample",
        "--first",
        "2",
        "--method",
        "deepfool",
    ]
    assert main([*arguments, "--pixels", "--starts"]) == 0
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(e["success"] and e["prediction"] != e["attacked"] for e in entries)
    assert main(["models"]) == 0
    assert "mnist-1024-512" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["certify", "--model", "none", "--data", "mnist-sample"], "no network 'none'"),
        (["certify", "--model", "mnist-20-20-20", "--data", "nowhere"], "no images in 'nowhere'"),
        ([*CERTIFY, "--method", "magic"], "no certificate 'magic'"),
        ([*CERTIFY, "--method", "decision-boundary"], "two-layer networks"),
        ([*CERTIFY, "--norm", "3"], "use 1, 2 or inf"),
        ([*CERTIFY, "--attack", "magic"], "no attack 'magic'"),
        (["attack", "--model", "mnist-20-20-20", "--data", "mnist-sample", "--method", ","], "at least one attack"),
    ],
)
def test_bad_arguments_end_with_one_sentence_and_code_2(arguments, words, capsys):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("odd", ["9" * 400, "--" + "a" * 400])
def test_what_no_option_takes_is_refused_in_a_short_sentence(odd, capsys):
    with pytest.raises(SystemExit) as end:
        main(["certify", "--model", "mnist-20-20-20", "--data", "mnist-sample", "--use-labels", odd])
    last = capsys.readouterr().err.splitlines()[-1]
    assert end.value.code == 2
    assert len(last) <= 300
    assert "unrecognized arguments" in last


def test_two_dashes_are_no_value(capsys):
    with pytest.raises(SystemExit) as end:
        main(["train", "--recipe=--", "--out", "x.safetensors"])
    assert end.value.code == 2
    assert "--recipe: '--' is no value" in capsys.readouterr().err


def test_help_teaches(capsys):
    with pytest.raises(SystemExit):
        main(["certify", "--help"])
    assert "Example:" in capsys.readouterr().out
