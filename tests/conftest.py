"""What every test shares: shapes in signatures are checked, one torch thread, seeded."""

import os

from jaxtyping import config, install_import_hook

# Before the first import of kdlab: the hook rewrites modules while they are loaded.
_hook = install_import_hook("kdlab", "_typechecker.check")

import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import settings  # noqa: E402

torch.set_num_threads(1)
settings.register_profile("kdlab", deadline=None, derandomize=True, max_examples=100)
settings.load_profile("kdlab")


@pytest.fixture
def unchecked_shapes():
    """Turn the shape checker off, so that a call reaches kdlab's own argument checks."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


@pytest.fixture
def generator() -> torch.Generator:
    """Return a fresh generator with a fixed seed."""
    return torch.Generator().manual_seed(0)


def mnist_root() -> str | None:
    """Return KDLAB_DATA where it holds MNIST."""
    root = os.environ.get("KDLAB_DATA", "")
    found = os.path.isdir(os.path.join(root, "MNIST", "raw")) if root else False
    return root if found else None


def pytest_collection_modifyitems(items):
    """Skip, visibly, what needs MNIST where it is not at hand."""
    if mnist_root():
        return
    skip = pytest.mark.skip(reason="MNIST is not under KDLAB_DATA")
    for item in items:
        if "mnist" in item.keywords:
            item.add_marker(skip)
