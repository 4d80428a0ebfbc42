"""The house keeps its floors: imports go down, unstable things have one importer, nothing grows without a limit."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "frl"
FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = [path for path in FILES if path.name != "__init__.py"]

FLOORS = (
    (
        "tree",
        "adjoint",
        "random",
        "tracing",
        "control",
        "compilation",
        "compilation_cache",
        "inductor",
        "decompositions",
        "functionalization",
        "hoisting",
        "sharding",
        "invariants",
        "check",
    ),
    ("tensordict", "specs"),
    ("functional", "distributions"),
    ("nn", "optim"),
    ("envs", "transforms", "replay"),
    ("collectors",),
    ("objectives", "algorithms"),
    ("training", "cli"),
)
FLOOR = {name: number for number, names in enumerate(FLOORS, 1) for name in names}

SOLE_IMPORTERS = {
    "optree": {"tree"},
    "torch.utils._pytree": {"tree"},
    "torch._higher_order_ops": {"control", "tracing"},
    "torch._subclasses": {"tracing", "inductor"},
    "torch._functorch": {"control"},
    "torch._inductor": {"decompositions", "inductor"},
    "torch._dynamo": {"inductor"},
    "safetensors": {"tensordict", "training"},
    "tyro": {"cli"},
    "tqdm": {"training"},
    "matplotlib": {"training"},
    "tensorboard": {"training"},
    "imageio": {"training"},
    "imageio_ffmpeg": {"training"},
    "wandb": {"training"},
}
UNSAFE = {"pickle", "cloudpickle", "marshal", "shelve", "dill"}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def floor_of(path: Path) -> int:
    return FLOOR[path.relative_to(PACKAGE).parts[0].removesuffix(".py")]


def imports(path: Path) -> set[str]:
    """The dotted names that a file imports, at its top or inside a function."""
    found: set[str] = set()
    package = ("frl", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = (
                ".".join((*package[: len(package) - node.level + 1], node.module or "")) if node.level else node.module
            )
            base = (base or "").rstrip(".")
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return found


def functions(path: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]


def body_length(function: ast.FunctionDef) -> int:
    first = function.body[1] if ast.get_docstring(function) and len(function.body) > 1 else function.body[0]
    return (function.end_lineno or first.lineno) - first.lineno + 1


@pytest.mark.parametrize("path", [p for p in FILES if p.parent != PACKAGE or p.name != "__init__.py"], ids=name_of)
def test_a_file_imports_only_its_own_floor_and_lower_ones(path: Path) -> None:
    for imported in imports(path):
        parts = imported.split(".")
        if parts[0] == "frl" and len(parts) > 1 and parts[1] in FLOOR:
            assert FLOOR[parts[1]] <= floor_of(path), f"{name_of(path)} imports {imported}, a higher floor"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_an_unstable_or_optional_library_has_one_importer(path: Path) -> None:
    owner = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for imported in imports(path):
        for library, owners in SOLE_IMPORTERS.items():
            if imported == library or imported.startswith(library + "."):
                assert owner in owners, f"{name_of(path)} imports {imported}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_can_run_code_from_a_file(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path)} & UNSAFE
    called = [ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    assert not {"torch.load", "eval", "exec", "__import__"} & set(called)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_and_functions_stay_small(path: Path) -> None:
    assert path.name not in ("utils.py", "helpers.py", "misc.py", "common.py")
    assert len(path.read_text().splitlines()) <= 400, "a file is one concept of at most 400 lines"
    for function in functions(path):
        assert body_length(function) <= 40, f"{function.name} is longer than 40 lines"
        arguments = [a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
        assert len([a for a in arguments if a not in ("self", "cls")]) <= 8, f"{function.name} takes too many arguments"
        wraps_any_function = name_of(path) in ("compilation", "sharding")
        assert function.args.kwarg is None or wraps_any_function, f"{function.name} takes **kwargs"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_public_name_is_documented(path: Path) -> None:
    module = ast.parse(path.read_text())
    assert ast.get_docstring(module), f"{name_of(path)} has no docstring"
    for node in module.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{name_of(path)}.{node.name} has no docstring"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_has_its_test_file(path: Path) -> None:
    relative = path.relative_to(PACKAGE)
    assert (ROOT / "tests" / relative.parent / f"test_{relative.name}").exists()


def test_only_the_checks_and_the_loops_ask_whether_they_are_traced() -> None:
    asking = {
        name_of(path)
        for path in FILES
        if "is_compiling" in path.read_text() or "is_dynamo_compiling" in path.read_text()
    }
    assert asking <= {"check", "control"}


def test_the_root_is_short_and_only_re_exports() -> None:
    text = (PACKAGE / "__init__.py").read_text()
    assert len(text.splitlines()) <= 80
    assert all(isinstance(node, (ast.Expr, ast.Import, ast.ImportFrom)) for node in ast.parse(text).body)
