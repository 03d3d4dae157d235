"""Workers with a share of the data each: who has which images, and what is returned."""

import pytest
import torch

from kdlab import data, schemes
from kdlab.experiments.halves import Half, learn_shares, start

WIDTHS = (784, 6, 10)


@pytest.mark.parametrize("workers", [2, 3])
def test_shares_are_apart_and_together_all(workers):
    dataset = data.load("digits").take(train=61)
    shares = [start(dataset, rank, workers, WIDTHS, 0)[1] for rank in range(workers)]
    found = torch.cat([share.images.flatten(1) for share in shares])
    # Digits differ from each other, so that each image is known by its pixels.
    assert sorted(map(tuple, found.tolist())) == sorted(
        map(tuple, dataset.train_images.flatten(1).tolist())
    )
    for rank, share in enumerate(shares):
        assert torch.equal(share.targets, dataset.train_targets[rank::workers])


def test_no_two_start_alike_and_a_start_can_be_repeated():
    dataset = data.load("digits").take(train=20)

    def weights(rank, seed):
        return start(dataset, rank, 2, WIDTHS, seed)[0].blocks["logits"].weight

    assert torch.equal(weights(1, 3), weights(1, 3))
    assert not torch.equal(weights(0, 3), weights(1, 3))
    assert not torch.equal(weights(0, 3), weights(0, 4))


def test_workers_return_errors_and_bytes_of_each_setting_and_seed():
    told = [
        {"epochs": 2, "every": 1, "what": "predictions"},
        {"epochs": 2, "every": 9, "what": "weights"},
    ]
    found = schemes.run_workers(learn_shares, 2, "digits", 240, WIDTHS, [0, 1], told)
    weights = 784 * 6 + 6 + 6 * 10 + 10
    # By predictions 120 images an epoch, asked and answered; by weights one exchange an epoch.
    sent = [2 * 120 * (784 + 4 * 10), 2 * 4 * weights]
    tests = len(data.load("digits").test_targets)
    for worker in found:
        assert [[half.bytes_sent for half in halves] for halves in worker] == [
            [n] * 2 for n in sent
        ]
        assert all(isinstance(half, Half) for halves in worker for half in halves)
        assert all(0 < half.errors < tests for halves in worker for half in halves)
    # Fresh and stale predictions teach otherwise, and so do the two seeds.
    assert len({half.errors for halves in found[0] for half in halves}) > 1
