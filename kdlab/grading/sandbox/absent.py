"""kdlab as a student's code finds it where it is graded: `check` does nothing, the rest is away."""

import sys
import types
from importlib.machinery import ModuleSpec


class _Finder:
    """Says why a part of kdlab can't be imported."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name.partition(".")[0] == "kdlab":
            raise ModuleNotFoundError(f"{name} is not there where homework is graded", name=name)
        return None


class _Nothing:
    """What `check` returns: it can be shown, required and asserted."""

    def require(self) -> None:
        """Do nothing."""

    def __bool__(self) -> bool:
        return True


def _refuse(name: str) -> object:
    if name.startswith("__"):
        raise AttributeError(name)
    # So that `from kdlab import losses` says why.
    raise ImportError(f"kdlab.{name} is not there where homework is graded")


def hide_kdlab() -> None:
    """Take kdlab out of `sys.modules`; its own code goes on with what it holds."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "kdlab"]:
        del sys.modules[name]
    package, grading = types.ModuleType("kdlab"), types.ModuleType("kdlab.grading")
    package.__path__ = grading.__path__ = []
    package.grading = grading
    grading.check = lambda *_: _Nothing()
    package.__getattr__ = _refuse
    sys.modules |= {"kdlab": package, "kdlab.grading": grading}
    sys.meta_path.insert(0, _Finder())
