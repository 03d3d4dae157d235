"""The published tables beside ours: ``python -m kdlab.experiments list | run NAME | table``.

``spec``          what an experiment is: recipes, units, rows
``hinton_mnist``  ... and the other experiments, one short file each
``training``      trains one unit; ``running`` all of them, on from where the last run ended
``store``         where units lie; ``results`` and ``tables`` what is made of them
"""

from importlib import import_module

from kdlab._checks import check_choice
from kdlab.experiments.spec import Experiment

NAMES = ("hinton-mnist", "controls-mnist", "low-data", "temperature-lambda")

__all__ = ["NAMES", "Experiment", "find_experiment"]


def find_experiment(name: str) -> Experiment:
    """Return an experiment by its name.

    Raises:
        ValueError: There is none of this name.
    """
    check_choice(NAMES, name=name)
    return import_module(f"kdlab.experiments.{name.replace('-', '_')}").EXPERIMENT
