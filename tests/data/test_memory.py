"""MNIST stays bytes: what it takes in memory, measured in a process of its own."""

import os
import subprocess
import sys

import pytest
from _small_data import REAL_DATA

# Everything that load needs is imported and used once before the first measurement.
CHILD = """
import torch
from kdlab.data import Batches, load

torch.set_num_threads(1)

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))

blank = torch.zeros(300, 1, 28, 28, dtype=torch.uint8)
for _ in Batches(blank, torch.zeros(300, dtype=torch.int64), shift=2):
    pass
before = resident()
dataset = load("mnist")
size = dataset.train_images.numel() + dataset.test_images.numel()
most = max(resident() for _ in Batches(dataset.train_images, dataset.train_targets, shift=2))
print((most - before) / size)
"""


@pytest.mark.mnist
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc: Linux only")
def test_mnist_takes_at_most_1_3_times_its_bytes_while_batches_are_drawn():
    settings = {**os.environ, "KDLAB_DATA": REAL_DATA, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CHILD], capture_output=True, text=True, env=settings, check=True
    )
    assert 0.9 < float(done.stdout) <= 1.3
