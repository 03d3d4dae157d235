"""What co-distilling workers tell each other, over `torch.distributed`."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy

import torch
import torch.distributed as dist
from torch import Tensor, nn

from kdlab._checks import check_choice
from kdlab.data import Batch, to_float
from kdlab.schemes.evaluation import predict

WHAT = ("weights", "predictions")


class WorkerLost(RuntimeError):
    """Another worker has ended, or has not answered in time."""


class Exchange:
    """Lets a worker hear what the others' models, as they are now, say to its next batches.

    With "weights", each sends its weights to all, and keeps copies of the others' models, which
    must be of its own kind. With "predictions", each sends its images to all, as bytes, and gets
    logits back; the models may be of different kinds. Both say the same: which costs less
    depends on how many images there are from one exchange to the next.

    Attributes:
        rank, workers: Of this worker, and how many there are.
        bytes_sent: By this worker, to all others together, over all exchanges.
    """

    def __init__(self, model: nn.Module, what: str) -> None:
        check_choice(WHAT, what=what)
        if not dist.is_initialized():
            raise ValueError("workers must have been joined, see `joined`, got none")
        self.rank, self.workers = dist.get_rank(), dist.get_world_size()
        self.what, self.model, self.bytes_sent = what, model, 0
        self.others = [rank for rank in range(self.workers) if rank != self.rank]
        if what == "weights":
            self._copies = [deepcopy(model).requires_grad_(False) for _ in self.others]

    def agree(self, **named: object) -> None:
        """Raise ValueError unless every worker has the same of what is named."""
        mine = named | ({"model": _form(self.model)} if self.what == "weights" else {})
        for name, values in self.gather(mine).items():
            if any(value != values[0] for value in values):
                listed = " and ".join(map(str, values))
                raise ValueError(f"{name} must be the same for all workers, got {listed}")

    def gather(self, named: dict[str, object]) -> dict[str, list]:
        """Return what each worker has under each name, in their order."""
        every: list = [None] * self.workers
        with _told_if_lost(self.rank, self.others):
            dist.all_gather_object(every, named)
        return {name: [one[name] for one in every] for name in named}

    def meet(self) -> None:
        """Wait for all."""
        self.gather({})

    def hear(self, batches: Sequence[Batch]) -> list[list[Tensor]]:
        """Return each other worker's logits for each of these batches: [batch][other].

        All workers must call it with equally many batches.

        Raises:
            WorkerLost: Another one has ended.
        """
        with torch.no_grad(), _told_if_lost(self.rank, self.others):
            return self._by_weights(batches) if self.what == "weights" else self._ask(batches)

    def _by_weights(self, batches: Sequence[Batch]) -> list[list[Tensor]]:
        mine = torch.cat([value.reshape(-1) for value in _sent(self.model)])
        swapped = self._swap([mine] * len(self.others), [mine] * len(self.others))
        for copy, values in zip(self._copies, swapped, strict=True):
            place = 0
            for value in _sent(copy):
                value.copy_(values[place : place + value.numel()].view_as(value))
                place += value.numel()
        return [[predict(copy, batch.images) for copy in self._copies] for batch in batches]

    def _ask(self, batches: Sequence[Batch]) -> list[list[Tensor]]:
        # Bytes: an image that came from bytes is given back by them exactly.
        mine = torch.cat([batch.images for batch in batches]).mul(255).round().byte()
        counts = self.gather({"counts": [len(batch.targets) for batch in batches]})["counts"]
        like = [mine.new_empty((sum(counts[rank]), *mine.shape[1:])) for rank in self.others]
        asked = self._swap([mine] * len(self.others), like)
        told = []
        for rank, images in zip(self.others, asked, strict=True):
            # In the asker's own batches, as if it had asked a model of its own.
            parts = to_float(images).split(counts[rank])
            told.append(torch.cat([predict(self.model, part) for part in parts]))
        like = [scores.new_empty((len(mine), scores.shape[1])) for scores in told]
        heard = [scores.split(counts[self.rank]) for scores in self._swap(told, like)]
        return [list(one) for one in zip(*heard, strict=True)]

    def _swap(self, out: Sequence[Tensor], like: Sequence[Tensor]) -> list[Tensor]:
        """Send one tensor to each other worker, and receive one from each, of a known shape."""
        room = [torch.empty_like(known) for known in like]
        calls = []
        for rank, tensor, space in zip(self.others, out, room, strict=True):
            calls.append(dist.P2POp(dist.isend, tensor.contiguous(), rank))
            calls.append(dist.P2POp(dist.irecv, space, rank))
            self.bytes_sent += tensor.numel() * tensor.element_size()
        for request in dist.batch_isend_irecv(calls):
            request.wait()
        return room


def grouped(batches: Iterable[Batch], count: int) -> Iterator[list[Batch]]:
    """Take so many batches at a time; the last group may have fewer."""
    group = []
    for batch in batches:
        group.append(batch)
        if len(group) == count:
            yield group
            group = []
    if group:
        yield group


@contextmanager
def _told_if_lost(rank: int, others: Sequence[int]) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        told = str(error).strip().splitlines()[0]
        who = f"{'one of ' if len(others) > 1 else ''}{', '.join(f'worker {n}' for n in others)}"
        how = "started again as before, all go on from their checkpoints, if they keep any"
        text = f"worker {rank} has lost {who}; {how}"
        raise WorkerLost(f"{text} ({told})") from error


def _sent(model: nn.Module) -> list[Tensor]:
    """Return what a model's answers depend on: weights and running statistics."""
    return [value for value in model.state_dict().values() if value.is_floating_point()]


def _form(model: nn.Module) -> str:
    shapes = [f"{name} {list(value.shape)}" for name, value in model.state_dict().items()]
    return f"a {type(model).__name__} of {', '.join(shapes)}"
