"""Workers with a share of the data each, as lecture 06 starts them: two processes, two halves.

A new process imports what it does by name, so this can't stand in a notebook.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch

from kdlab import models, schemes
from kdlab.data import Batches, Dataset, load

#: So that no two workers start from the same weights.
_WORKER = 10_000


class Half(NamedTuple):
    """What became of one worker's network: its test errors, and the bytes that it sent."""

    errors: int
    bytes_sent: int


def start(
    dataset: Dataset, rank: int, workers: int, widths: Sequence[int], seed: int
) -> tuple[models.FeatureNet, Batches]:
    """Return a worker's fresh network and its share: every so many-th training image.

    Args:
        dataset: All workers' images.
        rank, workers: The worker's number, and how many there are.
        widths: As in `models.mlp`.
        seed: With the rank, fixes the first weights; fixes the batches.
    """
    share = dataset.train_images[rank::workers], dataset.train_targets[rank::workers]
    network = models.mlp(tuple(widths), seed=seed + _WORKER * rank)
    return network, Batches(*share, batch_size=50, seed=seed)


def learn_shares(
    name: str,
    examples: int,
    widths: Sequence[int],
    seeds: Sequence[int],
    settings: Sequence[Mapping[str, object]],
) -> list[list[Half]]:
    """Be one worker: learn a share by `codistill`, for each of some settings, seed by seed.

    Started by `run_workers`, or by `torchrun`. Each worker loads the data set itself; only what
    `codistill` exchanges is sent.

    Args:
        name: Of the data set, as in `data.load`.
        examples: Training images of all workers together, the first ones drawn by seed 0.
        widths: As in `models.mlp`.
        seeds: Of the runs.
        settings: What `codistill` is told, beside model, batches and optimizer.

    Returns:
        What became of this worker's network: a list for each of the settings, in it each seed.
    """
    with schemes.joined() as place:
        dataset = load(name).take(train=examples)
        return [[_learn(dataset, place, widths, seed, told) for seed in seeds] for told in settings]


def _learn(dataset: Dataset, place: tuple[int, int], widths, seed: int, told: Mapping) -> Half:
    network, batches = start(dataset, *place, widths, seed)
    optimizer = torch.optim.Adam(network.parameters())
    _, sent = schemes.codistill(network, batches, optimizer, seed=seed, **told)
    return Half(schemes.evaluate(network, dataset.test_images, dataset.test_targets), sent)
