"""The published tables beside ours: ``python -m kdlab.experiments list | run NAME | table``.

``spec``          what an experiment is: recipes, units, rows
``hinton_mnist``  ... and the other experiments, one short file each; their controls in
                  ``views``, what is read off a network in ``measures``
``training``      trains one unit; ``running`` all of them, on from where the last run ended,
                  ``processes`` and ``cluster`` in many places at once
``store``         where units lie; ``results`` and ``tables`` what is made of them
"""

from importlib import import_module

from kdlab._checks import check_choice
from kdlab.experiments.results import load as load_results
from kdlab.experiments.results import values
from kdlab.experiments.spec import Experiment
from kdlab.experiments.tables import Table

NAMES = ("hinton-mnist", "controls-mnist", "low-data", "temperature-lambda")

__all__ = ["NAMES", "Experiment", "Table", "find_experiment", "load_results", "values"]


def find_experiment(name: str) -> Experiment:
    """Return an experiment by its name.

    Raises:
        ValueError: There is none of this name.
    """
    check_choice(NAMES, name=name)
    return import_module(f"kdlab.experiments.{name.replace('-', '_')}").EXPERIMENT
