"""Pandas in and out: a frame of points with a label each gives the arrays' answers, and they come back as a frame."""

from __future__ import annotations

import builtins

import numpy as np
import pytest

import relucert_core as rc
from relucert_core.certificates.result import FRAME_COLUMNS
from relucert_core.errors import DataUnavailable

pandas = pytest.importorskip("pandas")


@pytest.fixture(scope="module")
def net():
    rng = np.random.default_rng(3)
    return rc.Network([rng.normal(size=(6, 3)), rng.normal(size=(3, 6))], [rng.normal(size=6), np.zeros(3)])


def test_a_frame_of_points_with_labels_gives_the_arrays_answers(net):
    points = np.random.default_rng(4).normal(size=(7, 3))
    frame = pandas.DataFrame(points, columns=["a", "b", "c"], index=list("tuvwxyz"))
    labels = pandas.Series(net(points).argmax(-1), index=frame.index)
    labels.iloc[2] = (labels.iloc[2] + 1) % 3
    found, plain = rc.certify(net, frame, label=labels), rc.certify(net, points, label=labels.to_numpy())
    np.testing.assert_array_equal(found.radius, plain.radius)
    assert found.status[2] == "wrong prediction"
    assert found.radius[2] == 0
    table = found.to_frame()
    assert tuple(table.columns) == FRAME_COLUMNS
    assert table["radius"].tolist() == plain.radius.tolist()
    assert table["label"].tolist() == labels.tolist()
    assert all(pandas.isna(limit) or isinstance(limit, str) for limit in table["limit"])


def test_one_point_is_one_row(net):
    found = rc.certify(net, np.ones(3))
    table = found.to_frame()
    assert len(table) == 1
    assert table["radius"][0] == found.radius
    assert table["guarantee"][0] == found.guarantee


def test_without_pandas_there_is_one_sentence(net, monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name == "pandas":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(DataUnavailable, match="pip install pandas"):
        rc.certify(net, np.ones(3)).to_frame()
