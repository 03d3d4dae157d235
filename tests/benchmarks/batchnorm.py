"""Batch normalization: our closed-form gradient against autograd and torch's own.

python -m tests.benchmarks.batchnorm             print the tables
python -m tests.benchmarks.batchnorm --record    and keep them
"""

import sys
from collections.abc import Callable
from functools import partial
from statistics import median

import torch
from torch import Tensor, nn

from kdlab._files import write_json
from kdlab.batchnorm import BatchNorm
from kdlab.course import RESULTS
from kdlab.experiments.circumstances import circumstances
from tests.benchmarks.table import header, ratio, row, timed

THREADS = 1
SHAPES = {(256, 100): 1000, (64, 32, 28, 28): 30}  # and how often each is run


def plain(inputs: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Tensor:
    """Write algorithm 1 down as it stands, and leave the gradient to autograd."""
    over = [axis for axis in range(inputs.dim()) if axis != 1]
    each = (1, -1, *[1] * (inputs.dim() - 2))
    mean = inputs.mean(over, keepdim=True)
    variance = ((inputs - mean) ** 2).mean(over, keepdim=True)
    normalized = (inputs - mean) / torch.sqrt(variance + eps)
    return gamma.view(each) * normalized + beta.view(each)


def ways(shape: tuple[int, ...]) -> dict[str, Callable[[Tensor], Tensor]]:
    """Return the three ways to normalize in training, without running statistics."""
    native = {2: nn.BatchNorm1d, 4: nn.BatchNorm2d}[len(shape)]
    layers = [kind(shape[1], track_running_stats=False) for kind in (BatchNorm, native)]
    gamma, beta = torch.ones(shape[1]).requires_grad_(), torch.zeros(shape[1]).requires_grad_()
    ours, theirs = layers
    return {"ours": ours, "autograd": partial(plain, gamma=gamma, beta=beta), "native": theirs}


def back(outputs: Tensor, inputs: Tensor, upstream: Tensor) -> Tensor:
    """Run the backward pass alone; return the inputs' gradient."""
    # Accumulating is the same for all three; it is left out by starting from nothing.
    inputs.grad = None
    outputs.backward(upstream, retain_graph=True)
    return inputs.grad


def both(way: Callable[[Tensor], Tensor], inputs: Tensor, upstream: Tensor) -> Tensor:
    """Run forward and backward; return the inputs' gradient."""
    return back(way(inputs), inputs, upstream)


def measure(shape: tuple[int, ...], repeats: int) -> dict:
    """Time the three side by side; print and return milliseconds and ratios."""
    generator = torch.Generator().manual_seed(0)
    inputs, upstream = torch.randn(2, *shape, generator=generator)
    inputs.requires_grad_()
    each = ways(shape)
    jobs = {
        "backward": [partial(back, way(inputs), inputs, upstream) for way in each.values()],
        "both": [partial(both, way, inputs, upstream) for way in each.values()],
    }
    gradients = [job() for job in jobs["both"]]
    apart = max(float((gradients[0] - other).abs().max()) for other in gradients[1:])
    found = {"shape": list(shape), "gradients_apart": apart}
    for part, three in jobs.items():
        ours, autograd, native = timed(*three, repeats=repeats)
        found[part] = {
            "milliseconds": {
                name: 1e3 * median(taken)
                for name, taken in zip(each, (ours, autograd, native), strict=True)
            },
            "autograd_over_ours": ratio(autograd, ours),
            "ours_over_native": ratio(ours, native),
        }
    tell(found)
    return found


def tell(found: dict) -> None:
    """Print a shape's rows."""
    at = " x ".join(map(str, found["shape"]))
    for part, name in (("backward", "backward"), ("both", "forward and backward")):
        taken = {way: f"{ms:.3g} ms" for way, ms in found[part]["milliseconds"].items()}
        times = found[part]["autograd_over_ours"]
        what = f"{at}, {name}: autograd on the formula ({taken['autograd']}) against ours"
        reach = ("at least 1.5", times >= 1.5) if part == "backward" else ("told", True)
        row(f"{what} ({taken['ours']})", f"{times:.2f} times", *reach)
        times = found[part]["ours_over_native"]
        row(f"{at}, {name}: ours against torch's ({taken['native']})", f"{times:.2f} times",
            "told", True)  # fmt: skip
    apart = found["gradients_apart"]
    row(f"{at}: largest distance of the inputs' gradients", f"{apart:.0e}", "at most 1e-4",
        apart <= 1e-4)  # fmt: skip


def main(arguments: tuple[str, ...] = ()) -> None:
    """Print the table; keep it if `--record` is said."""
    torch.set_num_threads(THREADS)
    header("Batch normalization in training, one thread")
    found = [measure(shape, repeats) for shape, repeats in SHAPES.items()]
    if "--record" in arguments:
        said = circumstances(torch.get_default_device())
        write_json(RESULTS / "batchnorm_speed.json", {"shapes": found} | said)


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
