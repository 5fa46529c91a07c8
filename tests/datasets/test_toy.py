"""Toy sets and a user's own points: shapes, seeds, bounds, and CSV there and back."""

import numpy as np
import pytest

from relucert_core.datasets.points_csv import points_from_csv, points_to_csv
from relucert_core.datasets.toy import TOY_DATASETS, toy_dataset
from relucert_core.errors import InvalidInput

CASES = [(name, classes) for name, entry in TOY_DATASETS.items() for classes in entry.classes]


@pytest.mark.parametrize(("name", "classes"), CASES)
def test_every_set_with_every_number_of_classes(name, classes):
    points, labels = TOY_DATASETS[name](1001, seed=3, classes=classes)
    assert (points.shape, points.dtype, labels.shape, labels.dtype) == ((1001, 2), np.float64, (1001,), np.int64)
    counts = np.bincount(labels)
    assert len(counts) == classes
    assert np.ptp(counts) <= 1
    assert (np.abs(points) <= 1).all(1).mean() > 0.97
    clean, _ = TOY_DATASETS[name](1001, noise=0, seed=3, classes=classes)
    assert np.abs(clean).max() <= 0.9 + 1e-12
    assert np.abs(clean).max() > 0.4


@pytest.mark.parametrize(("name", "classes"), CASES)
def test_seed_and_noise_do_what_they_say(name, classes):
    first, labels = TOY_DATASETS[name](400, seed=1, classes=classes)
    again, same = TOY_DATASETS[name](400, seed=1, classes=classes)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(labels, same)
    other, _ = TOY_DATASETS[name](400, seed=2, classes=classes)
    assert not np.array_equal(first, other)
    still, _ = TOY_DATASETS[name](400, noise=0, seed=1, classes=classes)
    noisy, _ = TOY_DATASETS[name](400, noise=0.2, seed=1, classes=classes)
    assert (noisy - still).std() == pytest.approx(0.2, rel=0.1)


@pytest.mark.parametrize(("name", "classes"), [case for case in CASES if case[0] != "blobs"])
def test_classes_can_be_told_apart(name, classes):
    """Without noise the nearest neighbour is nearly always of the own class (blobs: single points)."""
    points, labels = TOY_DATASETS[name](1500, noise=0, seed=0, classes=classes)
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1) + np.diag(np.full(len(points), 9.0))
    assert (labels[distances.argmin(1)] == labels).mean() > 0.97


def test_the_labels_mean_what_the_names_say():
    points, labels = toy_dataset("xor")(300, noise=0)
    np.testing.assert_array_equal(labels == 0, points[:, 0] * points[:, 1] > 0)
    points, labels = toy_dataset("circles")(300, noise=0, classes=3)
    radii = np.linalg.norm(points, axis=1)
    assert all(np.ptp(radii[labels == k]) < 1e-12 for k in range(3))
    points, labels = toy_dataset("checkerboard")(300, noise=0)
    cells = np.floor((points / 0.9 + 1) * 2).astype(int)
    np.testing.assert_array_equal(labels, cells.sum(1) % 2)


@pytest.mark.parametrize(
    "options",
    [
        {"size": 1},
        {"size": 20_001},
        {"size": 10.5},
        {"noise": -0.1},
        {"noise": 2},
        {"noise": float("nan")},
        {"seed": -1},
        {"seed": 0.5},
        {"classes": 3},
        {"classes": 0},
    ],
)
def test_bad_requests_get_a_sentence(options):
    with pytest.raises(InvalidInput) as caught:
        toy_dataset("moons")(**options)
    assert "\n" not in str(caught.value)


def test_unknown_set_names_the_known():
    with pytest.raises(InvalidInput, match="moons, circles"):
        toy_dataset("suns")


@pytest.mark.parametrize("name", TOY_DATASETS)
def test_csv_there_and_back_is_exact(name):
    points, labels = TOY_DATASETS[name](200)
    back, classes = points_from_csv(points_to_csv(points, labels))
    np.testing.assert_array_equal(back, points)
    np.testing.assert_array_equal(classes, labels)


def test_csv_as_people_write_it():
    text = "\ufeffx; y; class\r\n\r\n# the first group\r\n 0.5;1e-1 ;0\r\n-1;2;3.0\r\n"
    points, labels = points_from_csv(text)
    np.testing.assert_array_equal(points, [[0.5, 0.1], [-1, 2]])
    np.testing.assert_array_equal(labels, [0, 3])
    points, labels = points_from_csv("1\t2\t0\n3\t4\t1")
    np.testing.assert_array_equal(points, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "two classes"),
        ("x,y,class\n", "two classes"),
        ("1,2,0\n3,4,0\n", "two classes"),
        ("1,2,0\n3,4\n", "Line 2 has 2"),
        ("1,2,0\n3,4,1,9\n", "Line 2 has 4"),
        ("1,2,0\n\nfoo,4,1\n", "Line 3: x is 'foo'"),
        ("1,2,0\n3,nan,1\n", "Line 2: y"),
        ("1,inf,0\n", "Line 1: y"),
        ("1,11,0\n", "Line 1: y"),
        ("1,2,red\n", "Line 1: the class"),
        ("1,2,-1\n", "Line 1: the class"),
        ("1,2,10\n", "Line 1: the class"),
        ("1,2,0.5\n", "Line 1: the class"),
        ("1,2,nan\n", "Line 1: the class"),
        ("name,of,column\nagain,a,b", "Line 2|two classes"),
        ("0,0,0\n" * 5001, "Line 5001"),
        ("0" * 1_000_001, "characters"),
        (None, "text"),
        ("\0\0\0", "Line 1|two classes"),
    ],
)
def test_bad_csv_names_the_line(text, words):
    with pytest.raises(InvalidInput, match=words) as caught:
        points_from_csv(text)
    assert "\n" not in str(caught.value)


def test_points_to_csv_checks_shapes():
    with pytest.raises(InvalidInput, match="labels"):
        points_to_csv(np.zeros((3, 2)), [0, 1])
