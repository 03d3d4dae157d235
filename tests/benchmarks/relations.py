"""The loss on angles against the usual formulation: time and memory of forward and backward.

python -m tests.benchmarks.relations
"""

from collections.abc import Callable
from functools import partial
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from kdlab.losses import rkd_angle_loss
from tests.benchmarks.table import header, ratio, row, timed

BATCH, WIDTH, REPEATS = 128, 512, 15


def usual(student: Tensor, teacher: Tensor) -> Tensor:
    """Compute the loss by all differences of pairs, (batch, batch, width), as common code does."""
    return F.smooth_l1_loss(usual_cosines(student), usual_cosines(teacher).detach())


def usual_cosines(points: Tensor) -> Tensor:
    """Return the cosine at i between j and k, as [i, j, k]."""
    unit = F.normalize(points.unsqueeze(0) - points.unsqueeze(1), dim=2)
    return torch.bmm(unit, unit.transpose(1, 2))


def step(loss: Callable[[Tensor, Tensor], Tensor], student: Tensor, teacher: Tensor) -> Tensor:
    """Run forward and backward; return the loss."""
    student.grad = None
    value = loss(student, teacher)
    value.backward()
    return value.detach()


def peak_megabytes(job: Callable[[], object]) -> float:
    """Return the most memory that torch holds while a job runs, over what it held before."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        job()
    events = [e for e in seen.profiler.kineto_results.events() if e.name() == "[memory]"]
    held = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most / 1e6


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    header(f"the loss on angles, {BATCH} examples of width {WIDTH}, one thread")
    generator = torch.Generator().manual_seed(0)
    student, teacher = torch.randn(2, BATCH, WIDTH, generator=generator)
    student.requires_grad_()
    jobs = [partial(step, loss, student, teacher) for loss in (usual, rkd_angle_loss)]
    values = [float(job()) for job in jobs]
    theirs, ours = timed(*jobs, repeats=REPEATS)
    times = ratio(theirs, ours)
    told = f"{times:.1f} times ({1e3 * median(theirs):.0f} ms against {1e3 * median(ours):.0f} ms)"
    row("the usual formulation takes", told, "at least 4", times >= 4)
    large, small = map(peak_megabytes, jobs)
    told = f"{small / large:.2f} ({small:.0f} MB against {large:.0f} MB)"
    row("our peak memory over its", told, "at most .25", small / large <= 0.25)
    apart = abs(values[0] - values[1]) / values[0]
    row("relative distance of the values", f"{apart:.1e}", "at most 1e-5", apart <= 1e-5)


if __name__ == "__main__":
    main()
