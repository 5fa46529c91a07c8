"""Tables of points as spreadsheets, programs and mistakes write them: read, or refused with the line."""

import numpy as np
import pytest

from relucert_core.datasets.points_csv import points_from_csv, points_to_csv
from relucert_core.errors import InvalidInput

POINTS = np.array([[1.5, -2.0], [0.25, 3.0]])
LABELS = np.array([0, 1])
PLAIN = "x,y,class\n1.5,-2,0\n0.25,3,1\n"
READ = {
    "plain": PLAIN,
    "no header": "1.5,-2,0\n0.25,3,1",
    "another header": "a,b,c\n1.5,-2,0\n0.25,3,1\n",
    "quoted": '"x","y","class"\n"1.5","-2","0"\n"0.25","3","1"\n',
    "blanks and quotes": ' "1.5" , "-2" ,0\n0.25, "3",1\n',
    "semicolons": "1.5;-2;0\n0.25;3;1\n",
    "decimal commas": "x;y;class\n1,5;-2,0;0\n0,25;3;1\n",
    "tabs and decimal commas": "1,5\t-2\t0\n0,25\t3\t1\n",
    "quoted decimal commas": '"1,5";"-2";"0"\n"0,25";"3";"1"\n',
    "blank lines": "\n\nx,y,class\n\n1.5,-2,0\n   \n,,\n0.25,3,1\n\n",
    "old ends of lines": PLAIN.replace("\n", "\r"),
    "windows": PLAIN.replace("\n", "\r\n"),
    "remarks": "# mine\n1.5,-2,0\n# more\n0.25,3,1",
    "commas at the end": "1.5,-2,0,\n0.25,3,1,,\n",
    "the class first": "class,x,y\n0,1.5,-2\n1,0.25,3\n",
    "the class first in capitals": "Label,X,Y\n0,1.5,-2\n1,0.25,3\n",
    "y before x": "y,x,class\n-2,1.5,0\n3,0.25,1\n",
    "a class by another name": "x,y,colour\n1.5,-2,0\n0.25,3,1\n",
    "exponents": "15e-1,-2.0E0,0.0\n.25,+3.,1e0\n",
    "UTF-8 with a mark": b"\xef\xbb\xbf" + PLAIN.encode(),
    "UTF-16": PLAIN.encode("utf-16"),
    "UTF-16, big end first": b"\xfe\xff" + PLAIN.encode("utf-16-be"),
    "UTF-16 without a mark": PLAIN.encode("utf-16-le"),
    "UTF-16 without a mark, big end first": PLAIN.encode("utf-16-be"),
    "bytes": PLAIN.encode(),
}


@pytest.mark.parametrize("name", READ)
def test_read(name):
    points, labels = points_from_csv(READ[name])
    np.testing.assert_array_equal(points, POINTS)
    np.testing.assert_array_equal(labels, LABELS)


def test_whole_numbers_with_the_class_first_are_not_misread():
    points, labels = points_from_csv("class,x,y\n0,1,2\n1,3,4\n")
    np.testing.assert_array_equal(points, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(labels, [0, 1])


REFUSED = {
    "HTML": ("<!DOCTYPE html>\n<html><body>1,2,0</body></html>", "Line 1.*HTML"),
    "HTML after blank lines": ("\n\n  <html>", "Line 3.*HTML"),
    "decimal commas between commas": ("x,y,class\n1,5,2,5,0\n", "Line 2.*semicolons"),
    "a stray quote": ('1,2,0\n"1,2,1\n', "Line 2"),
    "text": ("1,2,0\n3,four,1\n", "Line 2.*four"),
    "four columns": ("1,2,0\n1,2,3,4\n", "Line 2 has 4"),
    "columns by wrong names": ("class,y,z\n1,2,0\n", "Line 1.*x, y and class"),
    "NaN": ("1,2,0\nnan,2,1\n", "Line 2"),
    "infinite": ("1,2,0\n1e999,2,1\n", "Line 2"),
    "underscores": ("1,2,0\n1_0,2,1\n", "Line 2"),
    "a class of a half": ("1,2,0\n1,2,0.5\n", "Line 2.*class"),
    "a negative class": ("1,2,0\n1,2,-1\n", "Line 2.*class"),
    "mixed separators": ("1;2;0\n1,2,1\n", "Line 2"),
    "too far": ("1,2,0\n11,2,1\n", "Line 2"),
    "not UTF-8": (b"1,2,0\n\xe9,2,1\n", "Line 2"),
    "half a character of UTF-16": (PLAIN.encode("utf-16")[:-1], "UTF-16"),
    "null bytes": ("1,2,0\n1\0,2,1\n", "Line 2"),
    "one class": ("1,2,0\n", "1 points of 1 class came: give points of two classes or more, at most 6"),
    "seven classes": ("".join(f"{k},0,{k}\n" for k in range(7)), "of 7 classes came"),
    "nothing": ("", "two classes"),
    "a long cell": ("1,2,0\n" + "9" * 200_000 + ",2,1\n", "Line 2"),
    "too long": ("1,2,0\n" * 200_000, "characters"),
    "too many": ("1,2,0\n" * 5001, "Line 5001"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_line(name):
    source, words = REFUSED[name]
    with pytest.raises(InvalidInput, match=words) as caught:
        points_from_csv(source)
    assert len(str(caught.value)) < 300


def test_what_is_written_comes_back():
    rng = np.random.default_rng(0)
    points, labels = rng.uniform(-10, 10, (50, 2)), rng.integers(0, 6, 50)
    again = points_from_csv(points_to_csv(points, labels))
    np.testing.assert_array_equal(again[0], points)
    np.testing.assert_array_equal(again[1], labels)
