"""The layers of relucert_core (README, "Where things live"): a module imports only from the rows above its own."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGINE = ROOT / "relucert_core"
LAYERS = (
    {"errors", "files", "devices", "solvers", "tolerances", "rounding", "definiteness", "norms", "paths"}
    | {"deadline", "memory", "ranges", "arrays"},
    {"layers", "network"},
    {"forward"},
    {"importers", "datasets", "region", "witness", "polyhedron"},
    {"distances"},
    {"planar", "attacks", "certificates"},
    {"search", "training", "registry"},
    {"experiments"},
    {"jobs"},
    {"figures"},
    {"cli", "__main__", "__init__"},
)
MAY_NOT = {
    "attacks": {"certificates", "planar"},
    "certificates": {"attacks", "planar"},
    "polyhedron": {"network", "region"},
    "datasets": {"network", "region"},
    "figures": {"region", "polyhedron", "certificates.simplex", "certificates.pruning", "planar.subdivide"},
}
MODULES = sorted(ENGINE.rglob("*.py"))


def imports(path: Path) -> set[str]:
    """The dotted names under relucert_core that a file imports anywhere, and every foreign top package."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names |= (
                {node.module} if node.module != "relucert_core" else {f"relucert_core.{a.name}" for a in node.names}
            )
    return names


def layer_of(name: str) -> int:
    return next(i for i, row in enumerate(LAYERS) if name in row)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ENGINE)))
def test_a_module_imports_only_from_above(path):
    own = path.relative_to(ENGINE).parts[0].removesuffix(".py")
    for name in imports(path):
        if not name.startswith("relucert_core."):
            continue
        inner = name.removeprefix("relucert_core.")
        other = inner.split(".")[0]
        if not (ENGINE / other).exists() and not (ENGINE / f"{other}.py").exists():
            assert layer_of(own) >= layer_of("cli"), f"{path} takes {other} from the package's front door"
            continue
        lazily_upward = own == "network" and other == "importers"  # Network.from_torch imports inside the function
        assert layer_of(other) <= layer_of(own) or lazily_upward, f"{own} imports {other}, which lies below it"
        assert not any(inner.startswith(banned) for banned in MAY_NOT.get(own, ())), f"{own} imports {inner}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ENGINE)))
def test_the_engine_knows_no_streamlit(path):
    opens_the_app = path == ENGINE / "cli" / "app.py"
    assert opens_the_app or not any(name.split(".")[0] == "streamlit" for name in imports(path))


def test_foreign_solvers_are_called_in_one_place():
    foreign = {"cvxpy", "highspy", "clarabel", "scipy.optimize"}
    callers = {p.name for p in MODULES if any(n in foreign or n.split(".")[0] in foreign for n in imports(p))}
    assert callers == {"solvers.py"}


def test_pages_compute_nothing_by_hand():
    for path in set((ROOT / "pages").rglob("*.py")) - {ROOT / "pages/shared/engine.py"}:  # it sets torch threads
        foreign = {name.split(".")[0] for name in imports(path)}
        assert not foreign & {"torch", "scipy", "cvxpy"}, f"{path} should ask relucert_core"


PAGE_FOLDERS = sorted(path.parent.name for path in (ROOT / "pages").glob("*/page.py"))


def page_modules(folder: str) -> dict[str, Path]:
    """The modules of a folder of pages/ by their dotted names."""
    files = (ROOT / "pages" / folder).glob("*.py")
    return {f"pages.{folder}.{p.stem}": p for p in files if p.name != "__init__.py"}


def page_imports(path: Path) -> set[str]:
    """The modules under pages that a file imports anywhere."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
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
