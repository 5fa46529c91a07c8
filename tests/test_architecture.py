"""The layers of relucert_core: who may import whom (the table below), no circle of packages or modules, sizes."""

import ast
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGINE = ROOT / "relucert_core"
MODULES = sorted(ENGINE.rglob("*.py"))

# Whatever knows nothing of networks; every other row may import all of these.
GROUND = (
    "words",
    *(
        "citation",
        "errors",
        "files",
        "devices",
        "memory",
        "solvers",
        "tolerances",
        "ranges",
        "arrays",
        "cards",
        "deadline",
    ),
    *("rounding", "definiteness", "norms", "paths", "threads"),
)
NETWORK = {"layers", "network", "forward"}
METHODS = {"certificates", "attacks", "search", "registry"}
BELOW_EXPERIMENTS = (
    NETWORK | METHODS | {"properties", "importers", "datasets", "region", "distances", "witness", "planar", "training"}
)
MAY_IMPORT: dict[str, set[str]] = {
    **{name: set(GROUND) for name in GROUND},
    "layers": set(),
    "network": {"layers"},
    "forward": {"layers", "network"},
    "importers": {"layers", "network"},
    "datasets": set(),
    "region": NETWORK,
    "witness": NETWORK,
    "polyhedron": set(),
    "distances": NETWORK | {"region"},
    "planar": NETWORK | {"region", "polyhedron"},
    "attacks": NETWORK | {"region", "witness"},
    "certificates": NETWORK | {"region", "witness", "polyhedron"},
    "search": NETWORK | {"witness", "certificates", "attacks"},
    "registry": NETWORK | {"certificates", "search"},
    "properties": NETWORK | {"witness", "certificates", "attacks", "search", "registry"},
    "training": NETWORK | {"region", "distances", "attacks", "datasets", "importers"},
    "experiments": BELOW_EXPERIMENTS,
    "places": {"layers", "network"},
    "jobs": BELOW_EXPERIMENTS | {"experiments"},
    "figures": {"experiments", "planar"},
    "cli": BELOW_EXPERIMENTS | {"experiments", "jobs", "figures", "places"},
    "__main__": {"cli"},
    "__init__": BELOW_EXPERIMENTS | {"experiments", "jobs"},
}
# what is taken from the package itself, by whom
FRONT_DOOR = {("network", "read_network"), ("cli", "__version__"), ("citation", "__version__")}
FIGURES_MAY_NOT = ("planar.subdivide", "planar.rounds")  # figures draw, they compute nothing
LONGEST_FILE, LONGEST_FUNCTION = 400, 30


@functools.cache
def code(path: Path) -> str:
    return path.read_text(encoding="utf8")


@functools.cache
def parsed(source: str) -> ast.Module:
    """The tree of a source: each file is parsed once, however many tests look at it."""
    return ast.parse(source)


def sources() -> dict[str, str]:
    """The engine's modules by their dotted names under relucert_core ("__init__" is the front door)."""
    found = {}
    for path in MODULES:
        parts = path.relative_to(ENGINE).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts
        found[".".join(parts)] = code(path)
    return found


@functools.cache
def imports(source: str) -> frozenset[str]:
    """The dotted names that a source imports, wherever in it: modules, and what is taken from them."""
    names: set[str] = set()
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, "imports are absolute"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def inner_imports(source: str, modules: Mapping[str, str]) -> set[str]:
    """The modules of the engine that a source imports; names taken from the front door come as "__init__.name"."""
    found = set()
    for name in imports(source):
        if not name.startswith("relucert_core."):
            continue
        inner = name.removeprefix("relucert_core.")
        while inner not in modules and "." in inner:
            inner = inner.rpartition(".")[0]
        found.add(inner if inner in modules or inner in MAY_IMPORT else f"__init__.{inner}")
    # `from package import module` names both: the package's own file is then not what is meant
    return {name for name in found if not any(other.startswith(f"{name}.") for other in found)}


def forbidden_imports(modules: Mapping[str, str]) -> list[str]:
    """Every import that the table does not allow, in words."""
    wrong = []
    for module, source in modules.items():
        own = module.split(".")[0]
        for name in inner_imports(source, modules):
            top = name.split(".")[0]
            if top == "__init__":
                allowed = (own, name.removeprefix("__init__.")) in FRONT_DOOR
            else:
                allowed = top == own or top in GROUND or top in MAY_IMPORT[own]
                allowed &= not (own == "figures" and name.startswith(FIGURES_MAY_NOT))
            if not allowed:
                wrong.append(f"{module} imports {name}")
    return wrong


def circles(edges: Mapping[str, set[str]]) -> list[list[str]]:
    """The circles of a graph: for each one found, the names along it."""
    found: list[list[str]] = []
    done: set[str] = set()

    def visit(name: str, trail: list[str]) -> None:
        if name in trail:
            found.append([*trail[trail.index(name) :], name])
            return
        if name in done:
            return
        for other in sorted(edges.get(name, ())):
            visit(other, [*trail, name])
        done.add(name)

    for name in sorted(edges):
        visit(name, [])
    return found


def module_edges(modules: Mapping[str, str]) -> dict[str, set[str]]:
    return {
        module: {name for name in inner_imports(source, modules) if name in modules} - {module}
        for module, source in modules.items()
    }


def package_edges(modules: Mapping[str, str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for module, others in module_edges(modules).items():
        own = module.split(".")[0]
        found.setdefault(own, set()).update({name.split(".")[0] for name in others} - {own, "__init__"})
    return found


def test_modules_import_only_what_the_table_allows():
    assert forbidden_imports(sources()) == []


def test_every_package_stands_in_the_table_and_nothing_else():
    assert {name.split(".")[0] for name in sources()} == set(MAY_IMPORT)


def test_there_is_no_circle():
    assert circles(module_edges(sources())) == []
    assert circles(package_edges(sources())) == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("certificates.simplex", "from relucert_core.attacks import attack"),
        ("attacks.best", "from relucert_core.certificates.result import OK"),
        ("network", "    from relucert_core.importers.registry import read_network"),
        ("polyhedron", "import relucert_core.network"),
        ("figures.plane", "from relucert_core.planar import subdivide"),
        ("training.loop", "from relucert_core import certify"),
        ("rounding", "from relucert_core import network"),
    ],
)
def test_a_forbidden_import_is_found(module, line):
    changed = sources()
    changed[module] = (
        f"if True:\n    {line.strip()}\n{changed[module].partition('from __future__')[2].partition(chr(10))[2]}"
    )
    assert [words for words in forbidden_imports(changed) if words.startswith(f"{module} ")]


@pytest.mark.parametrize(
    ("module", "line", "edges"),
    [
        ("rounding", "from relucert_core.definiteness import least", module_edges),
        ("search.ledger", "from relucert_core.search.exact.branch_and_bound import explore", module_edges),
        ("planar.place", "from relucert_core.planar.complex import PlanarComplex", module_edges),
        ("certificates.result", "from relucert_core.search.ledger import Ledger", package_edges),
    ],
)
def test_a_circle_is_found(module, line, edges):
    changed = sources()
    changed[module] += f"\n\ndef later():\n    {line}\n"
    assert circles(edges(changed))


def functions(source: str) -> Iterator[tuple[str, int]]:
    """The functions of a source with their numbers of lines, docstrings left out."""
    for node in ast.walk(parsed(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            documented = ast.get_docstring(node) is not None and len(node.body) > 1
            first = node.body[1].lineno if documented else node.body[0].lineno
            yield node.name, (node.end_lineno or first) - first + 1


def test_files_and_functions_stay_short():
    lengths = {str(path.relative_to(ENGINE)): len(code(path).splitlines()) for path in MODULES}
    lengths |= {str(path.relative_to(ROOT)): len(code(path).splitlines()) for path in (ROOT / "pages").rglob("*.py")}
    assert {name for name, length in lengths.items() if length > LONGEST_FILE} == set()
    sizes = [length for source in sources().values() for _, length in functions(source)]
    assert sum(size > LONGEST_FUNCTION for size in sizes) < 0.1 * len(sizes)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ENGINE)))
def test_the_engine_knows_no_streamlit(path):
    opens_the_app = path == ENGINE / "cli" / "app.py"
    assert opens_the_app or not any(name.split(".")[0] == "streamlit" for name in imports(code(path)))


def test_foreign_solvers_are_called_in_one_place():
    foreign = {"cvxpy", "highspy", "clarabel", "scipy.optimize"}
    callers = {p.name for p in MODULES if any(n in foreign or n.split(".")[0] in foreign for n in imports(code(p)))}
    assert callers == {"solvers.py"}


def test_pages_compute_nothing_by_hand():
    for path in set((ROOT / "pages").rglob("*.py")) - {ROOT / "pages/shared/places.py"}:  # it sets torch threads
        foreign = {name.split(".")[0] for name in imports(code(path))}
        assert not foreign & {"torch", "scipy", "cvxpy"}, f"{path} should ask relucert_core"


PAGE_FOLDERS = sorted(path.parent.name for path in (ROOT / "pages").glob("*/page.py"))


def page_modules(folder: str) -> dict[str, Path]:
    """The modules of a folder of pages/ by their dotted names."""
    files = (ROOT / "pages" / folder).glob("*.py")
    return {f"pages.{folder}.{p.stem}": p for p in files if p.name != "__init__.py"}


def page_imports(path: Path) -> set[str]:
    """The modules under pages that a file imports anywhere."""
    names = set()
    for node in ast.walk(parsed(code(path))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "pages":
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("folder", PAGE_FOLDERS)
def test_no_page_imports_another(folder):
    for path in page_modules(folder).values():
        foreign = {name.split(".")[1] for name in page_imports(path) if "." in name}
        assert foreign <= {folder, "shared"}, path


def test_what_pages_share_is_used_by_at_least_two_of_them():
    shared = page_modules("shared")

    def reached(names: set[str], seen: set[str]) -> set[str]:
        for name in names & set(shared) - seen:
            seen |= {name}
            reached(page_imports(shared[name]), seen)
        return seen

    users: dict[str, set[str]] = {name: set() for name in shared}
    for folder in PAGE_FOLDERS:
        direct = set().union(*(page_imports(path) for path in page_modules(folder).values()))
        for name in reached(direct, set()):
            users[name].add(folder)
    assert {name: pages for name, pages in users.items() if len(pages) < 2} == {}


def test_importing_the_package_loads_no_torch():
    import subprocess
    import sys

    code = "import sys, relucert_core; sys.exit('torch' in sys.modules or 'plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
