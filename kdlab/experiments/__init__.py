"""The published tables beside ours: ``python -m kdlab.experiments list | run NAME | table``.

``spec``          what an experiment is: ``units`` (recipes, teachers) or ``trials``, and rows
``hinton_mnist``  ... and the other experiments, one short file each; their controls in
                  ``views``, what is read off a network in ``measures``; how one learns from
                  layers in ``imitations``, by ``layer_losses`` with weights from ``tuning``;
                  networks that learn together in ``teams``; how a loss changes along its
                  gradient in ``landscape``
``training``      trains one unit; ``running`` all of them, on from where the last run ended,
                  ``processes`` and ``cluster`` in many places at once
``codistillation``  several processes that teach each other; a command of its own, and what
                  lecture 06 starts
``store``         where units lie; ``results`` and ``tables`` what is made of them
"""

import sys
from importlib import import_module
from pathlib import Path

from kdlab.experiments.results import curves, values
from kdlab.experiments.results import load as load_results
from kdlab.experiments.spec import Experiment
from kdlab.experiments.tables import Table

NAMES = (
    "hinton-mnist",
    "controls-mnist",
    "low-data",
    "temperature-lambda",
    "features-table",
    "assistants",
    "early-stopping",
    "mutual",
    "generations",
    "lopez-paz",
    "grabovoy-fashion",
    "grabovoy-synthetic",
    "grabovoy-tweets",
    "batchnorm-mnist",
    "condense-minutes",
    "condense-table",
)

__all__ = ["NAMES", "Experiment", "Table", "curves", "find_experiment", "load_results", "values"]


def find_experiment(name: str) -> Experiment:
    """Return an experiment by its name, or from a Python file that defines EXPERIMENT.

    Raises:
        ValueError: There is none of this name, or the file has none.
    """
    if name in NAMES:
        return import_module(f"kdlab.experiments.{name.replace('-', '_')}").EXPERIMENT
    path = Path(name)
    if path.suffix == ".py" and not path.exists():
        raise ValueError(f"{name} is not there")
    if path.suffix != ".py" or not path.is_file():
        known = ", ".join(repr(known) for known in NAMES)
        raise ValueError(f"name must be one of {known}, or a Python file, got {name!r}")
    return _of_file(path.resolve())


def _of_file(path: Path) -> Experiment:
    # By the path of imports, so that other processes of this machine find its classes, too.
    sys.path.insert(0, str(path.parent))
    module = import_module(path.stem)
    if Path(module.__file__ or "").resolve() != path:
        raise ValueError(f"{path.name} must have another name: a module {path.stem} is there")
    if not isinstance(found := getattr(module, "EXPERIMENT", None), Experiment):
        raise ValueError(f"{path} must define EXPERIMENT, an Experiment, got {found!r}")
    if found.name in NAMES:
        raise ValueError(f"{path} must give its experiment another name than {found.name!r}")
    return found
