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
    assert not loaded_by("import kdlab.data, kdlab.metrics, kdlab.schemes") & shown
