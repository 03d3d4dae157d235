"""Small data sets, a server on this machine, and no way to anybody's real data."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest
from _small_data import NAMES, NOBODY, REAL_DATA, Server, idx, running
from torchvision.datasets import CIFAR10, MNIST, FashionMNIST


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """Give each test an empty cache (not made yet), no KDLAB_DATA and dead mirrors."""
    folder = tmp_path / "cache"
    for name in ("KDLAB_DATA", "KDLAB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KDLAB_CACHE", str(folder))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for known in (MNIST, FashionMNIST):
        monkeypatch.setattr(known, "mirrors", [NOBODY])
    monkeypatch.setattr(CIFAR10, "url", NOBODY + CIFAR10.filename)
    return folder


@pytest.fixture
def real_data(monkeypatch) -> Path:
    """Let the test see the real KDLAB_DATA; for tests marked mnist."""
    monkeypatch.setenv("KDLAB_DATA", REAL_DATA)
    return Path(REAL_DATA)


@pytest.fixture
def contents(monkeypatch) -> dict[str, bytes]:
    """Return four tiny gzipped files by name: 20 training and 10 test images.

    Image i is filled with the value i, its class is i modulo 10. torchvision's checksums
    of MNIST are replaced by theirs.
    """
    files = {}
    for part, count in (("train", 20), ("t10k", 10)):
        number = np.arange(count)
        images = np.broadcast_to(number[:, None, None], (count, 28, 28))
        files[f"{part}-images-idx3-ubyte.gz"] = gzip.compress(idx(images), mtime=0)
        files[f"{part}-labels-idx1-ubyte.gz"] = gzip.compress(idx(number % 10), mtime=0)
    sums = [(name, hashlib.md5(files[name]).hexdigest()) for name in NAMES]
    monkeypatch.setattr(MNIST, "resources", sums)
    return files


@pytest.fixture
def data(contents, tmp_path, monkeypatch) -> Path:
    """Return a KDLAB_DATA that holds the tiny MNIST, gzipped."""
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in contents.items():
        (raw / name).write_bytes(content)
    monkeypatch.setenv("KDLAB_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def server(contents, monkeypatch):
    """Serve the tiny MNIST on this machine, as its only mirror."""
    with Server(contents) as serving, running(serving):
        monkeypatch.setattr(MNIST, "mirrors", [serving.mirror])
        yield serving
