"""What stands beside a picture on a desktop stands below it on a phone: no words of a page say where."""

import ast
import re
from pathlib import Path

import pytest

PAGES = Path(__file__).resolve().parents[2] / "pages"
PLACE = re.compile(
    r"\b(on|to|at) (the|its) (right|left)\b|\b(beside|next to) the (picture|plane|figure|chart)\b|-hand side", re.I
)


def said(path: Path) -> list[str]:
    """The string literals of a module that are no docstrings."""
    tree = ast.parse(path.read_text("utf8"))
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    strings = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [node.value for node in strings if id(node) not in silent]


@pytest.mark.parametrize(
    "folder", [f for f in sorted(PAGES.iterdir()) if (f / "__init__.py").is_file()], ids=lambda f: f.name
)
def test_no_words_say_that_something_is_at_a_side(folder):
    words = [text for path in folder.glob("*.py") for text in said(path)]
    assert len(words) > 5
    assert [text for text in words if PLACE.search(text)] == []
