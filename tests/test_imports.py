"""What an import costs, seen from a fresh interpreter."""

import functools
import subprocess
import sys

HEAVY = {
    "IPython",
    "anywidget",
    "ipywidgets",
    "jaxtyping",
    "matplotlib",
    "numpy",
    "pandas",
    "sklearn",
    "torch",
    "torchvision",
}
#: What torch loads by itself.
TORCH = {"torch", "numpy"}


@functools.cache
def loaded_by(statement: str) -> frozenset[str]:
    """Return the top-level packages that a fresh interpreter holds after a statement."""
    code = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return frozenset(done.stdout.split())


def test_the_package_costs_nothing():
    bare = loaded_by("pass")
    assert loaded_by("import kdlab") - bare == {"kdlab"}


def test_the_losses_cost_torch_and_no_more():
    # jaxtyping itself loads little; whatever else torch brings along, it brings anyway.
    extra = loaded_by("import kdlab.losses") - loaded_by("import torch, jaxtyping")
    assert extra == {"kdlab"}
    assert loaded_by("import kdlab.losses") & HEAVY == TORCH | {"jaxtyping"}


def test_the_ground_floor_is_free():
    assert not loaded_by("import kdlab._checks, kdlab.server") & HEAVY


def test_the_lower_floors_show_nothing():
    shown = {"IPython", "anywidget", "ipywidgets", "matplotlib", "pandas"}
    assert not loaded_by("import kdlab.batchnorm, kdlab.data, kdlab.metrics, kdlab.schemes") & shown


def test_the_sandbox_s_server_holds_no_reference_and_no_judge():
    code = "from kdlab.grading.sandbox import server; import sys\n"
    code += "print(*[name for name in sys.modules if name.startswith('kdlab.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    rooms = {name.split(".")[1] for name in done.stdout.split()}
    parts = {name.split(".")[2] for name in done.stdout.split() if name.count(".") > 1}
    assert rooms == {"grading"}
    assert parts == {"observe", "plain", "sandbox", "spec", "stubs"}


def test_the_grader_s_command_line_answers_before_torch_is_loaded():
    assert not loaded_by("import kdlab.grading.__main__") & (HEAVY - {"numpy"})
