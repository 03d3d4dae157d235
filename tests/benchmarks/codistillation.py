"""Two workers that teach each other now and then against two that share every gradient.

    KDLAB_DATA=... python -m tests.benchmarks codistillation

On this machine, over gloo, one thread each: the same network, the same halves of the images (of
MNIST, or of digits where it isn't at hand), as many passes. Plain data-parallel training, torch's
DistributedDataParallel, has one network that learns from both halves; workers that exchange
weights or predictions have one each. Errors are of one network after its last pass: the mean of
both workers and all seeds, and the lowest and highest seed.
"""

import time
from dataclasses import dataclass
from statistics import mean, median

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook
from torch.nn.parallel import DistributedDataParallel

from kdlab import data, schemes
from kdlab.experiments.codistillation import Settings
from tests.benchmarks.table import header, ratio, row

WORKERS, RARE = 2, 50
PARALLEL, ALONE = "gradients, every step (data-parallel)", "nothing"


@dataclass(frozen=True)
class Plan:
    """What is compared: a network, its images, passes, and steps from one exchange to the next."""

    dataset: str
    widths: tuple[int, ...]
    epochs: int
    images: int = 5000
    batch_size: int = 25
    every: tuple[int, ...] = (1, 10, RARE, 100)
    seeds: int = 2

    def ways(self) -> dict[str, dict | None]:
        """Return what `codistill` is told, by the name of a row; None is without it."""
        pairs = [(what, k) for what in ("weights", "predictions") for k in self.every]
        told = {f"{what}, every {k}": {"what": what, "every": k} for what, k in pairs}
        return {PARALLEL: None, ALONE: {"burn_in": self.epochs}} | told

    def settings(self, seed: int) -> Settings:
        """Return what makes the workers' networks and batches."""
        hidden = self.widths[1:-1]
        return Settings(self.dataset, hidden=hidden, batch_size=self.batch_size, seed=seed)


def measure(plan: Plan) -> list[dict]:
    """Train one worker in all ways, which take turns; return what each came to, seed by seed."""
    found = []
    with schemes.joined() as (rank, _):
        everything = data.load(plan.dataset)
        for seed in range(plan.seeds):
            images = min(plan.images, len(everything.train_targets))
            dataset = everything.take(train=images, seed=seed)
            begun = plan.settings(seed)
            for way, options in plan.ways().items():
                # Data-parallel workers have one network: they begin alike.
                model = begun.network(0 if options is None else rank)
                batches = begun.batches(dataset, rank, WORKERS)
                dist.barrier()
                start = time.perf_counter()
                sent = learn(model, batches, plan.epochs, options)
                seconds = (time.perf_counter() - start) / plan.epochs
                errors = schemes.evaluate(model, dataset.test_images, dataset.test_targets)
                told = {"bytes": sent / plan.epochs, "seconds": seconds, "errors": errors}
                found.append({"way": way} | told)
        counted = {"bytes": counted_bytes(model, batches), "steps": len(batches)}
        found.append(counted | {"of": len(dataset.test_targets)})
    return found


def learn(model: nn.Module, batches: data.Batches, epochs: int, options: dict | None) -> int:
    """Train one worker; return the bytes that it sends."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    if options is None:
        in_parallel(DistributedDataParallel(model), batches, optimizer, epochs)
        return computed_bytes(model, epochs * len(batches))
    return schemes.codistill(model, batches, optimizer, epochs=epochs, **options)[1]


def in_parallel(
    model: nn.Module, batches: data.Batches, optimizer: torch.optim.Optimizer, epochs: int
) -> None:
    """Train one network by all workers: each step has the mean of their gradients."""
    for _ in range(epochs):
        for images, targets, _ in batches:
            loss = F.cross_entropy(model(images), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def computed_bytes(model: nn.Module, steps: int) -> int:
    """Return what a worker sends for so many means of gradients: 2 (n - 1) / n of each, in a ring.

    The first weights, sent once, are left out.
    """
    gradients = sum(p.numel() * p.element_size() for p in model.parameters())
    return steps * gradients * 2 * (WORKERS - 1) // WORKERS


def counted_bytes(model: nn.Module, batches: data.Batches) -> int:
    """Return the same for one epoch, counted where torch hands gradients to the network."""
    seen = []

    def hook(_, bucket: dist.GradBucket) -> torch.futures.Future[torch.Tensor]:
        seen.append(bucket.buffer().nbytes)
        return allreduce_hook(None, bucket)

    parallel = DistributedDataParallel(model)
    parallel.register_comm_hook(None, hook)
    in_parallel(parallel, batches, torch.optim.SGD(model.parameters(), lr=0.05), 1)
    return sum(seen) * 2 * (WORKERS - 1) // WORKERS


def summarize(workers: list[list[dict]]) -> dict[str, dict]:
    """Return each way's bytes a worker and epoch, seconds an epoch in turn, and mean errors."""
    found = {}
    for way in dict.fromkeys(one["way"] for one in workers[0]):
        seeds = [[one for one in each if one["way"] == way] for each in workers]
        turns = [max(one["seconds"] for one in turn) for turn in zip(*seeds, strict=True)]
        errors = [mean(one["errors"] for one in turn) for turn in zip(*seeds, strict=True)]
        found[way] = {"bytes": seeds[0][0]["bytes"], "seconds": turns, "errors": errors}
    return found


def tell(plan: Plan, workers: list[list[dict]]) -> None:
    """Print one network's table, and what was to be reached."""
    found, counted = summarize([each[:-1] for each in workers]), workers[0][-1]
    sizes, base = "-".join(map(str, plan.widths)), found[PARALLEL]
    steps = f"{counted['steps']} steps an epoch, {plan.epochs} epochs, {plan.seeds} seeds"
    print(f"\n### {sizes} on {plan.dataset}: {steps}, errors of {counted['of']:,}\n")
    print("| what is sent | MB a worker and epoch | share of gradients' | s an epoch", end=" ")
    print("| times gradients' | test errors |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for way, one in found.items():
        size, times = one["bytes"] / base["bytes"], ratio(one["seconds"], base["seconds"])
        print(f"| {way} | {one['bytes'] / 1e6:.2f} | {size:.1%} ", end="")
        print(f"| {median(one['seconds']):.2f} | {times:.2f} | {told_errors(one['errors'])} |")
    header(f"{sizes}: what was to be reached")
    same = base["bytes"] == counted["bytes"]
    what = f"bytes of gradients as computed, {base['bytes']:,.0f}, against those counted by a hook"
    row(what, f"{counted['bytes']:,}", "equal", same)
    for what in ("weights", "predictions"):
        rare = found[f"{what}, every {RARE}"]
        share = rare["bytes"] / base["bytes"]
        row(f"bytes of {what} every {RARE} steps", f"{share:.1%}", "at most 10 %", share <= 0.1)
        # Backward is twice a forward; the other's forward is a third more.
        times = ratio(rare["seconds"], found[ALONE]["seconds"])
        what = f"{what} every {RARE} steps, time against nothing sent"
        row(what, f"{times:.2f} times", "at most 1.5", times <= 1.5)


def told_errors(errors: list[float]) -> str:
    """Return the mean, and the lowest and highest of the seeds."""
    return f"{mean(errors):.0f} ({min(errors):.0f} to {max(errors):.0f})"


def main() -> None:
    """Print the tables."""
    torch.set_num_threads(WORKERS)
    dataset = data.load("auto").name
    large = Plan(dataset, (784, 1200, 1200, 10), epochs=3, seeds=2)
    for plan in (large, Plan(dataset, (784, 100, 10), epochs=6, seeds=3)):
        tell(plan, schemes.run_workers(measure, WORKERS, plan))
