"""How much arithmetic a unit is, and about how long it takes."""

from functools import lru_cache

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from kdlab.experiments.spec import Experiment
from kdlab.experiments.trials import Trial
from kdlab.experiments.units import DATASETS, SIDE, Recipe, Unit

# What a value that a convolution makes costs besides: batch norm, ReLU and pooling come to it.
_A_VALUE = 230

#: Operations a second that training reaches, and seconds that a step takes besides. On a CPU
#: for one thread, measured with these experiments on a 2.5 GHz server core; on a GPU a guess.
CPU = (80e9, 1.5e-3)
GPU = (10e12, 1.0e-3)


def seconds(experiment: Experiment, unit: Unit | Trial, rates: tuple[float, float] = CPU) -> float:
    """Return about how long one unit trains, its teachers' answers left out."""
    if isinstance(unit, Trial):
        return unit.seconds
    rate, a_step = rates
    recipe, images = unit.recipe, _images(experiment, unit)
    epochs = unit.imitate.epochs(recipe) if unit.imitate is not None else recipe.epochs
    steps = epochs * -(-images // recipe.batch_size)
    # The backward pass is two more forward passes.
    return 3 * epochs * images * operations(recipe) / rate + steps * a_step


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
    """Return the multiplications and additions of one forward pass of one image.

    For a convolutional network the equivalent in time of what is done with its maps besides.
    """
    model, values = recipe.build(0).eval(), []
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda _, given, made: values.append(made.numel()))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, 1, SIDE, SIDE))
    return counter.get_total_flops() + _A_VALUE * sum(values)


def _images(experiment: Experiment, unit: Unit) -> int:
    every = DATASETS[experiment.dataset_of(unit)][0]
    # Classes are about equally large.
    return round((unit.examples or every) * (1 - len(unit.without) / 10))
