"""A distillation epoch against the bare arithmetic, and against the loops that people copy.

    KDLAB_DATA=... python -m tests.benchmarks.training            print the tables
    KDLAB_DATA=... python -m tests.benchmarks.training --record   and keep them for the README

Needs MNIST. The network is Hinton's student, 784-800-800-10, with SGD and momentum; the teacher
is 784-1200-1200-10 (its weights do not matter for the time).
"""

import gc
import sys
from functools import partial
from statistics import median

import torch
from torch.utils.data import DataLoader

from kdlab import data, models, schemes
from kdlab._files import write_json
from kdlab.course import RESULTS
from kdlab.experiments.circumstances import circumstances
from tests.benchmarks import loops
from tests.benchmarks.table import header, ratio, row, timed

BATCHES, THREADS, CORE_REPEATS, LOOP_REPEATS = (128, 256), 2, 9, 3


def resident_megabytes() -> float:
    """Return this process's resident memory; Linux only."""
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * 4096 / 1e6


def measure_memory() -> None:
    """Compare the memory that MNIST takes, while batches are drawn, with its bytes."""
    before = resident_megabytes()
    dataset = data.load("mnist")
    size = sum(t.nbytes for t in (dataset.train_images, dataset.test_images)) / 1e6
    batches = data.Batches(dataset.train_images, dataset.train_targets, batch_size=BATCHES[0])
    most = max(resident_megabytes() for _ in batches) - before
    what = f"memory of MNIST while batches are drawn, against its {size:.0f} MB of bytes"
    row(what, f"{most / size:.2f} times", "at most 1.3", most / size <= 1.3)


def measure_epochs(dataset: data.Dataset, teacher: torch.nn.Module, batch_size: int) -> dict:
    """Time the four loops side by side; print and return seconds and ratios."""
    logits = schemes.predict(teacher, dataset.train_images)
    images = data.to_float(dataset.train_images).split(batch_size)
    pairs = list(zip(images, dataset.train_targets.split(batch_size), strict=True))
    pil = loops.PilImages(dataset.train_images, dataset.train_targets)
    loader = DataLoader(pil, batch_size=batch_size, shuffle=True)
    ours = partial(loops.ours, dataset, logits, batch_size)
    products = partial(loops.products, batch_size, len(pairs))
    # In turns of three: what we divide by each other runs side by side.
    bare, mine, bound = timed(partial(loops.bare, pairs), ours, products, repeats=CORE_REPEATS)
    peers = (
        partial(loop, loader, teacher) for loop in (loops.tutorial, loops.benchmark_repository)
    )
    again, tutorial, repository = timed(ours, *peers, repeats=LOOP_REPEATS)
    found = {
        "batch_size": batch_size,
        "seconds": {
            "ours": median(mine),
            "bare": median(bare),
            "products": median(bound),
            "tutorial": median(tutorial),
            "repdistiller": median(repository),
        },
        "ours_over_bare": ratio(mine, bare),
        "tutorial_over_ours": ratio(tutorial, again),
        "repdistiller_over_ours": ratio(repository, again),
        "share_of_products": ratio(bound, mine),
        "bare_share_of_products": ratio(bound, bare),
    }
    tell(found)
    return found


def tell(found: dict) -> None:
    """Print a batch size's rows."""
    seconds, at = found["seconds"], f"batch {found['batch_size']}: "
    mine = f"our distillation epoch ({seconds['ours']:.1f} s)"
    times = found["ours_over_bare"]
    what = f"{at}{mine} against bare arithmetic ({seconds['bare']:.1f} s)"
    row(what, f"{times:.2f} times", "at most 1.15", times <= 1.15)
    for peer, name in (("tutorial", "PyTorch's tutorial"), ("repdistiller", "RepDistiller's")):
        times = found[f"{peer}_over_ours"]
        what = f"{at}the loop of {name} ({seconds[peer]:.1f} s) against ours"
        row(what, f"{times:.1f} times", "at least 4", times >= 4)
    share = found["share_of_products"]
    what = f"{at}share of the matrix-product rate that our epoch reaches"
    row(what, f"{share:.0%}", "at least 80 %", share >= 0.8)


def main(arguments: tuple[str, ...] = ()) -> None:
    """Print the tables; keep them if `--record` is said."""
    torch.set_num_threads(THREADS)
    header("Training")
    # A first tensor and a first gather take their share of memory before we measure.
    torch.randn(128, 784)[torch.randperm(128)].float()
    data.load("digits")
    measure_memory()
    dataset = data.load("mnist")
    teacher = models.mlp(loops.TEACHER).eval()
    found = [measure_epochs(dataset, teacher, size) for size in BATCHES]
    if "--record" in arguments:
        said = circumstances(dataset.device)
        write_json(RESULTS / "training_speed.json", {"batches": found} | said)


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
