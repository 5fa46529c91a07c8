"""Files stay together, and what the lists name is there."""

from tests import scheduling


def test_scopes_and_their_order():
    for test, scope in (
        ("tests/pages/digits/test_browser.py::test_a[x::y]", "browser"),
        ("tests/pages/test_accessible.py::test_b", "browser"),
        ("tests/pages/digits/test_page.py::test_c", "tests/pages/digits/test_page.py"),
        ("tests/packaging/test_installed.py::test_d", "wheel"),
        ("tests/packaging/test_wheel.py::test_e", "wheel"),
    ):
        assert scheduling.scope(test) == scope
    first, second = (f"tests/{name}::test" for name in scheduling.LONG[:2])
    ranks = [scheduling.rank(test) for test in ("tests/pages/test_foreign.py::t", first, second, "tests/test_x.py::t")]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == 4


def test_the_long_files_are_there():
    for name in scheduling.LONG:
        assert (scheduling.ROOT / "tests" / name).is_file(), name
