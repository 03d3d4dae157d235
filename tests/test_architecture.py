"""The floors and bans of the design, read from the source by ast.

Every rule is a function from a module to the list of its violations; each is tried on a
planted violation below, and then on every module of the package.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

import kdlab

PACKAGE = Path(kdlab.__file__).parent
FLOORS = {
    "_checks": 0,
    "_cluster": 0,
    "_files": 0,
    "server": 0,
    "losses": 1,
    "metrics": 1,
    "models": 1,
    "data": 1,
    "course": 1,
    "batchnorm": 1,
    "schemes": 2,
    "privileged": 2,
    "condense": 3,
    "plots": 4,
    "experiments": 4,
    "widgets": 5,
    "grading": 5,
}
SEEDING = {
    "numpy.random.seed",
    "np.random.seed",
    "random.seed",
    "torch.cuda.manual_seed",
    "torch.cuda.manual_seed_all",
    "torch.default_generator.manual_seed",
    "torch.default_generator.seed",
    "torch.manual_seed",
    "torch.random.manual_seed",
    "torch.random.seed",
    "torch.seed",
}


@dataclass(frozen=True)
class Module:
    """One source file: its path below kdlab/ and its text."""

    path: str
    text: str

    @property
    def room(self) -> str:
        """The first part of the path: "losses" for losses/logits.py, "" for __init__.py."""
        first = self.path.split("/")[0].removesuffix(".py")
        return "" if first == "__init__" else first

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    def nodes(self, *kinds: type) -> Iterator[ast.AST]:
        return (node for node in ast.walk(self.tree) if isinstance(node, kinds))

    @cached_property
    def code_lines(self) -> set[int]:
        """The lines that hold code: no blanks, no comments."""
        silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.DEDENT}
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        spans = (range(t.start[0], t.end[0] + 1) for t in tokens if t.type not in silent)
        return {line for span in spans for line in span}

    @cached_property
    def imported(self) -> set[str]:
        """Dotted names of whatever is imported, anywhere in the file, relative ones apart."""
        names = set()
        for node in self.nodes(ast.Import, ast.ImportFrom):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif not node.level:
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
        return names

    @property
    def rooms_imported(self) -> set[str]:
        """Which rooms of kdlab it imports; "" for the package itself."""
        parts = [name.split(".") for name in self.imported]
        rooms = {(name + [""])[1] for name in parts if name[0] == "kdlab"}
        return {"" if room.startswith("__") else room for room in rooms}

    @property
    def packages_imported(self) -> set[str]:
        """The first part of every imported name."""
        return {name.split(".")[0] for name in self.imported}


def dotted(node: ast.AST) -> str:
    """Return "a.b.c" for such an expression, "" for any other."""
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return node.id if isinstance(node, ast.Name) else ""


# --- the rules


def known_room(module: Module) -> list[str]:
    rooms = {module.room, *module.rooms_imported} - {""}
    return [f"{room} is no room of the design" for room in sorted(rooms - set(FLOORS))]


def imports_only_from_below(module: Module) -> list[str]:
    own = FLOORS.get(module.room, -1)
    others = module.rooms_imported - {module.room, ""}
    return [f"imports {room}" for room in sorted(others) if FLOORS.get(room, 9) >= own]


def widget_packages_stay_in_widgets(module: Module) -> list[str]:
    found = module.packages_imported & {"anywidget", "ipywidgets", "IPython"}
    return sorted(found) if module.room != "widgets" else []


def matplotlib_stays_in_plots_and_widgets(module: Module) -> list[str]:
    allowed = module.room in ("plots", "widgets")
    return [] if allowed else sorted(module.packages_imported & {"matplotlib"})


def nothing_imports_grading(module: Module) -> list[str]:
    found = "grading" in module.rooms_imported and module.room != "grading"
    return ["imports grading"] if found else []


def no_star_import(module: Module) -> list[str]:
    return [f"{name}" for name in sorted(module.imported) if name.endswith(".*")]


def no_relative_import(module: Module) -> list[str]:
    return [f"line {node.lineno}" for node in module.nodes(ast.ImportFrom) if node.level]


def no_assert(module: Module) -> list[str]:
    return [f"line {node.lineno}" for node in module.nodes(ast.Assert)]


def no_global_seeding(module: Module) -> list[str]:
    if module.room == "models" or module.path == "schemes/history.py":
        return []
    calls = ((dotted(node.func), node.lineno) for node in module.nodes(ast.Call))
    return [f"{name} in line {line}" for name, line in calls if name in SEEDING]


def seeding_is_undone(module: Module) -> list[str]:
    """Where seeding is allowed, it stands inside `with ...fork_rng(...)`."""
    forked = set()
    for node in module.nodes(ast.With):
        if any("fork_rng" in ast.dump(item.context_expr) for item in node.items):
            forked |= {id(inner) for inner in ast.walk(node)}
    calls = (node for node in module.nodes(ast.Call) if dotted(node.func) in SEEDING)
    return [f"line {node.lineno}" for node in calls if id(node) not in forked]


def no_hard_coded_device(module: Module) -> list[str]:
    texts = (node for node in module.nodes(ast.Constant) if isinstance(node.value, str))
    found = [node for node in texts if re.fullmatch(r"(cuda|mps)(:\d+)?", node.value)]
    calls = [
        node
        for node in module.nodes(ast.Call)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "cuda"
    ]
    return [f"line {node.lineno}" for node in (*found, *calls)]


def schemes_never_build_data(module: Module) -> list[str]:
    if module.room != "schemes":
        return []
    names = {name for name in module.imported if name.startswith("kdlab.data")}
    # Places belong to images that a scheme is given; they make no new ones.
    tools = ("Batch", "Batches", "count_places", "move_images", "to_float")
    allowed = {f"kdlab.data.{name}" for name in tools}
    loaders = module.packages_imported & {"sklearn", "torchvision"}
    return sorted((names - allowed) | loaders)


def package_root_imports_nothing(module: Module) -> list[str]:
    return sorted(module.imported) if not module.room else []


def module_is_short(module: Module) -> list[str]:
    lines = len(module.text.splitlines())
    return [f"{lines} lines"] if lines >= 250 else []


def body_lines(module: Module, function: ast.FunctionDef) -> int:
    """Count the lines of code in a function's body, docstring, blanks and comments apart."""
    body = function.body[1:] if is_docstring(function.body[0]) else function.body
    inside = range(body[0].lineno, body[-1].end_lineno + 1) if body else ()
    return len(module.code_lines.intersection(inside))


def is_docstring(node: ast.AST) -> bool:
    value = getattr(node, "value", None) if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def functions_are_short(module: Module) -> list[str]:
    found = []
    for function in module.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        loops = any(isinstance(node, ast.For) for node in ast.walk(function))
        size = body_lines(module, function)
        if size >= (50 if loops and module.room in ("schemes", "condense") else 15):
            found.append(f"{function.name} has {size}")
    return found


RULES = [
    known_room,
    imports_only_from_below,
    widget_packages_stay_in_widgets,
    matplotlib_stays_in_plots_and_widgets,
    nothing_imports_grading,
    no_star_import,
    no_relative_import,
    no_assert,
    no_global_seeding,
    seeding_is_undone,
    no_hard_coded_device,
    schemes_never_build_data,
    package_root_imports_nothing,
    module_is_short,
    functions_are_short,
]

# --- the package

MODULES = [
    Module(path.relative_to(PACKAGE).as_posix(), path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
]


@pytest.mark.parametrize("rule", RULES)
def test_every_module_keeps_the_rule(rule):
    broken = {module.path: rule(module) for module in MODULES}
    assert {path: found for path, found in broken.items() if found} == {}


def test_modules_were_found():
    assert {"__init__.py", "losses/logits.py", "schemes/offline.py"} <= {m.path for m in MODULES}


def test_the_map_in_the_docstring_is_the_package():
    rows = re.findall(r"^(\d) +``(\w+)``", kdlab.__doc__, flags=re.MULTILINE)
    told = {room: int(floor) for floor, room in rows}
    assert told == {m.room: FLOORS.get(m.room) for m in MODULES if m.room}


# --- each rule on a planted violation, and on the nearest thing that is allowed

LONG = "def f():\n    '''Say.'''\n" + "    x = 1\n" * 15
LOOP = "def f():\n    for x in y:\n"
PLANTED = [
    (known_room, "attic.py", "x = 1"),
    (known_room, "losses/a.py", "import kdlab.attic"),
    (imports_only_from_below, "losses/a.py", "from kdlab.schemes import train"),
    (imports_only_from_below, "losses/a.py", "from kdlab import metrics"),
    (imports_only_from_below, "losses/a.py", "import kdlab.data.loading"),
    (imports_only_from_below, "widgets/a.py", "def f():\n    from kdlab.grading import check"),
    (imports_only_from_below, "grading/a.py", "from kdlab.widgets import show_progress"),
    (imports_only_from_below, "schemes/a.py", "from kdlab import condense"),
    (imports_only_from_below, "server.py", "from kdlab._checks import check_count"),
    (imports_only_from_below, "_checks.py", "from kdlab import losses"),
    (widget_packages_stay_in_widgets, "plots.py", "from IPython.display import display"),
    (widget_packages_stay_in_widgets, "schemes/a.py", "import ipywidgets as w"),
    (widget_packages_stay_in_widgets, "grading/a.py", "import anywidget"),
    (matplotlib_stays_in_plots_and_widgets, "metrics.py", "import matplotlib.pyplot as plt"),
    (nothing_imports_grading, "widgets/a.py", "from kdlab import grading"),
    (no_star_import, "losses/__init__.py", "from kdlab.losses.logits import *"),
    (no_relative_import, "losses/__init__.py", "from .logits import soften"),
    (no_relative_import, "losses/__init__.py", "from . import logits"),
    (no_assert, "models.py", "def f(x):\n    assert x > 0"),
    (no_global_seeding, "widgets/a.py", "import torch\ntorch.manual_seed(0)"),
    (no_global_seeding, "data/a.py", "np.random.seed(0)"),
    (no_global_seeding, "data/a.py", "import random\nrandom.seed()"),
    (seeding_is_undone, "models.py", "torch.manual_seed(0)\nwith fork_rng():\n    pass"),
    (no_hard_coded_device, "models.py", "x.to('cuda:0')"),
    (no_hard_coded_device, "models.py", "x = torch.device('mps')"),
    (no_hard_coded_device, "models.py", "x.cuda()"),
    (schemes_never_build_data, "schemes/a.py", "from kdlab.data import load"),
    (schemes_never_build_data, "schemes/a.py", "from kdlab.data.loading import load"),
    (schemes_never_build_data, "schemes/a.py", "from sklearn.datasets import load_digits"),
    (package_root_imports_nothing, "__init__.py", "import torch"),
    (module_is_short, "metrics.py", "x = 1\n" * 250),
    (functions_are_short, "metrics.py", LONG),
    (functions_are_short, "metrics.py", "def f():\n    return g(\n" + "1,\n" * 13 + ")"),
    (functions_are_short, "schemes/a.py", LONG),
    (functions_are_short, "schemes/a.py", LOOP + "        x = 1\n" * 49),
    (functions_are_short, "condense/a.py", LONG),
]
ALLOWED = [
    (known_room, "losses/a.py", "import kdlab"),
    (known_room, "widgets/a.py", "from kdlab import __version__"),
    (imports_only_from_below, "schemes/a.py", "from kdlab.schemes.history import Run"),
    (imports_only_from_below, "widgets/a.py", "from kdlab import plots"),
    (widget_packages_stay_in_widgets, "widgets/a.py", "import anywidget"),
    (matplotlib_stays_in_plots_and_widgets, "plots.py", "import matplotlib"),
    (nothing_imports_grading, "grading/a.py", "from kdlab.grading.specs import Question"),
    (no_global_seeding, "data/a.py", "torch.Generator().manual_seed(0)"),
    (seeding_is_undone, "models.py", "with torch.random.fork_rng():\n    torch.manual_seed(0)"),
    (no_hard_coded_device, "models.py", "x = 'no cuda here'"),
    (schemes_never_build_data, "schemes/a.py", "from kdlab.data import Batches"),
    (module_is_short, "metrics.py", "x = 1\n" * 249),
    (functions_are_short, "metrics.py", LONG.replace("    x = 1\n", "", 1)),
    (functions_are_short, "metrics.py", LONG.replace("    x = 1\n", "    # why\n\n", 1)),
    (functions_are_short, "schemes/a.py", LOOP + "        x = 1\n" * 48),
    (functions_are_short, "condense/a.py", LOOP + "        x = 1\n" * 48),
    (imports_only_from_below, "condense/a.py", "from kdlab.schemes import predict"),
]


@pytest.mark.parametrize(("rule", "path", "text"), PLANTED)
def test_a_planted_violation_is_found(rule, path, text):
    assert rule(Module(path, text))


@pytest.mark.parametrize(("rule", "path", "text"), ALLOWED)
def test_what_is_allowed_is_not_reported(rule, path, text):
    assert rule(Module(path, text)) == []


def test_every_rule_has_a_planted_violation():
    assert {rule for rule, _, _ in PLANTED} == set(RULES)
