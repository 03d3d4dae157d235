"""Condensing: a step and an evaluation against the released code's structure.

    KDLAB_DATA=... python -m tests.benchmarks.condense            print the tables
    KDLAB_DATA=... python -m tests.benchmarks.condense --record   and keep them

Needs MNIST. The peers are in `condensing`; both sides start from the same weights.
"""

import sys
from functools import partial
from statistics import median

import torch
from torch import Tensor

from kdlab import condense, data
from kdlab._files import write_json
from kdlab.course import RESULTS
from kdlab.experiments.circumstances import circumstances
from tests.benchmarks import condensing
from tests.benchmarks.table import header, ratio, row, timed

THREADS = 2
#: Width of the network, real images a class and synthetic ones: ours for minutes, the paper's.
STEPS = {(32, 64, 1): 15, (32, 64, 10): 15, (128, 256, 10): 3}  # and how often each is run
#: Width and synthetic images a class.
EVALUATIONS = {(32, 1): 3, (32, 10): 1}


def measure_step(dataset: data.Dataset, shape: tuple[int, int, int], repeats: int) -> dict:
    """Time a step both ways, and the released structure on our network."""
    width, per_class, own = shape
    real, synthetic = _sides(dataset, per_class, own)
    ours, theirs = condensing.networks(width)
    omega = condense.draw_omega(10, condense.Augmentation(), torch.Generator().manual_seed(0))
    jobs = (
        partial(condensing.our_step, ours, *real, synthetic, omega),
        partial(condensing.released_step, theirs, *real, synthetic, omega),
        partial(condensing.released_step, ours, *real, synthetic, omega),
    )
    gradients = [job() for job in jobs]
    mine, released, pooled = timed(*jobs, repeats=repeats)
    return {
        "width": width,
        "real_per_class": per_class,
        "synthetic_per_class": own,
        "seconds": {"ours": median(mine), "released": median(released)},
        "released_over_ours": ratio(released, mine),
        "released_on_our_network_over_ours": ratio(pooled, mine),
        "gradients_apart": _apart(gradients),
    }


def measure_evaluation(dataset: data.Dataset, shape: tuple[int, int], repeats: int) -> dict:
    """Time the training and the test of one network, ours and two loops of DataLoaders."""
    width, own = shape
    _, synthetic = _sides(dataset, 1, own)
    tests = dataset.test_images, dataset.test_targets
    jobs = (
        partial(condensing.our_evaluation, synthetic, *tests, width),
        partial(condensing.released_evaluation, synthetic, *tests, width, one_by_one=True),
        partial(condensing.released_evaluation, synthetic, *tests, width, one_by_one=False),
    )
    mine, single, batched = timed(*jobs, repeats=repeats)
    return {
        "width": width,
        "synthetic_per_class": own,
        "seconds": {
            "ours": median(mine),
            "image by image": median(single),
            "batch by batch": median(batched),
        },
        "image_by_image_over_ours": ratio(single, mine),
        "batch_by_batch_over_ours": ratio(batched, mine),
    }


def _sides(
    dataset: data.Dataset, per_class: int, own: int
) -> tuple[tuple[Tensor, Tensor], condense.Synthetic]:
    """Return real images as floats with their classes, and a synthetic set."""
    images, targets = dataset.train_images, dataset.train_targets
    chosen = condense.pick_random(targets, per_class=per_class)
    start = condense.pick_random(targets, per_class=own, seed=1)
    real = data.to_float(images[chosen]), targets[chosen]
    return real, condense.take_real(images, targets, start)


def _apart(gradients: list[Tensor]) -> float:
    """Return the largest distance of any gradient from the first, over its largest value."""
    first, *others = gradients
    return max(float((first - other).abs().max() / first.abs().max()) for other in others)


def tell_step(found: dict) -> None:
    """Print a step's rows."""
    seconds, times = found["seconds"], found["released_over_ours"]
    at = f"width {found['width']}, {found['real_per_class']} real images a class, "
    at += f"{found['synthetic_per_class']} synthetic: "
    taken = f"({1e3 * seconds['released']:.0f} ms) against ours ({1e3 * seconds['ours']:.0f} ms)"
    what = f"{at}a step class by class {taken}"
    row(what, f"{times:.2f} times", "at least 2", times >= 2)
    times = found["released_on_our_network_over_ours"]
    row(f"{at}the same on our network, with its quick pooling", f"{times:.2f} times", "told", True)
    apart = found["gradients_apart"]
    row(f"{at}distance of the gradients", f"{apart:.0e}", "at most 1e-3", apart <= 1e-3)


def tell_evaluation(found: dict) -> None:
    """Print an evaluation's rows."""
    seconds = found["seconds"]
    at = f"width {found['width']}, {found['synthetic_per_class']} images a class: "
    mine = f"against ours ({seconds['ours']:.1f} s)"
    for name in ("image by image", "batch by batch"):
        times = found[f"{name.replace(' ', '_')}_over_ours"]
        what = f"{at}a DataLoader, changed {name} ({seconds[name]:.1f} s), {mine}"
        row(what, f"{times:.2f} times", "at least 5", times >= 5)


def main(arguments: tuple[str, ...] = ()) -> None:
    """Print the tables; keep them if `--record` is said."""
    torch.set_num_threads(THREADS)
    dataset = data.load("mnist")
    steps, evaluations = [], []
    header("A step of distribution matching")
    for shape, repeats in STEPS.items():
        steps.append(measure_step(dataset, shape, repeats))
        tell_step(steps[-1])
    header("Evaluating a synthetic set with one network")
    for shape, repeats in EVALUATIONS.items():
        evaluations.append(measure_evaluation(dataset, shape, repeats))
        tell_evaluation(evaluations[-1])
    if "--record" in arguments:
        found = {"steps": steps, "evaluations": evaluations}
        write_json(RESULTS / "condense_speed.json", found | circumstances(dataset.device))


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
