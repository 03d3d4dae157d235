"""How much arithmetic a unit is, and about how long it takes."""

from functools import lru_cache

import torch
from torch.utils.flop_counter import FlopCounterMode

from kdlab.experiments.spec import Experiment
from kdlab.experiments.units import DATASETS, SIDE, Recipe, Unit

#: Operations a second that training reaches, and seconds that a step takes besides. On a CPU
#: for one thread, measured with these experiments on a 2.5 GHz server core; on a GPU a guess.
CPU = (80e9, 1.5e-3)
GPU = (10e12, 1.0e-3)


def seconds(experiment: Experiment, unit: Unit, rates: tuple[float, float] = CPU) -> float:
    """Return about how long one unit trains, its teachers' answers left out."""
    rate, a_step = rates
    recipe, images = unit.recipe, _images(experiment, unit)
    steps = recipe.epochs * -(-images // recipe.batch_size)
    # The backward pass is two more forward passes.
    return 3 * recipe.epochs * images * operations(recipe) / rate + steps * a_step


def whole(
    experiment: Experiment,
    seeds: int,
    rates: tuple[float, float] = CPU,
    *,
    ended: frozenset[str] = frozenset(),
) -> float:
    """Return about how long an experiment trains, one unit after the other.

    Units whose fingerprint at seed 0 is among those that have ended elsewhere cost nothing.
    """
    left = [unit for unit in experiment.units if experiment.fingerprint(unit, 0) not in ended]
    return seeds * sum(seconds(experiment, unit, rates) for unit in left)


@lru_cache(maxsize=256)
def operations(recipe: Recipe) -> int:
    """Return the multiplications and additions of one forward pass of one image."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        recipe.build(0).eval()(torch.zeros(1, 1, SIDE, SIDE))
    return counter.get_total_flops()


def _images(experiment: Experiment, unit: Unit) -> int:
    every = DATASETS[experiment.dataset][0]
    # Classes are about equally large.
    return round((unit.examples or every) * (1 - len(unit.without) / 10))
