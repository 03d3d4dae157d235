"""CIFAR-10: the original batches in a folder or an archive, and the copy as JPEG files."""

import gzip
import hashlib
import io
import tarfile

import numpy as np
import pytest
import torch
from _small_data import Server, files_under, running
from PIL import Image
from torchvision.datasets import CIFAR10

from kdlab.data import DataDamaged, DataUnavailable, cifar, load

BATCHES = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
EACH = 3


def pickled(pixels: bytes, labels: list[int]) -> bytes:
    """Pickle a batch as Python 2 and the NumPy of 2009 did: byte strings, align as 0."""

    def text(value: bytes) -> bytes:
        return b"T" + len(value).to_bytes(4, "little") + value

    kind = b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R(K\x03" + text(b"|")
    kind += b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b")
    array += b"\x87R(K\x01K" + bytes((len(labels),)) + b"M\x00\x0c\x86" + kind + b"\x89"
    array += text(pixels) + b"tb"
    numbers = b"](" + b"".join(b"K" + bytes((label,)) for label in labels) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + text(b"labels") + numbers + b"u."


def tar_of(files: dict[str, bytes]) -> bytes:
    """Return a gzipped tar of files by path."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@pytest.fixture
def batches(monkeypatch) -> dict[str, bytes]:
    """Return six tiny batches of three images; image i of batch b is red 10 b + i."""
    files = {}
    for number, name in enumerate(BATCHES):
        images = np.zeros((EACH, 3, 32, 32), np.uint8)
        images[:, 0] = (10 * number + np.arange(EACH))[:, None, None]
        files[name] = pickled(images.tobytes(), [number, 8, 9])
    sums = [[name, hashlib.md5(files[name]).hexdigest()] for name in BATCHES]
    monkeypatch.setattr(CIFAR10, "train_list", sums[:5])
    monkeypatch.setattr(CIFAR10, "test_list", sums[5:])
    return files


@pytest.fixture
def archive(batches, monkeypatch) -> bytes:
    """Return the batches in one archive, not in their order, with its checksum known."""
    packed = tar_of({f"cifar-10-batches-py/{name}": batches[name] for name in BATCHES[::-1]})
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(packed).hexdigest())
    return packed


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Return an empty KDLAB_DATA."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("KDLAB_DATA", str(folder))
    return folder


def unpack(batches, data):
    folder = data / "cifar-10-batches-py"
    folder.mkdir()
    for name, content in batches.items():
        (folder / name).write_bytes(content)
    return folder


def check_original(dataset):
    red = [10 * number + i for number in range(5) for i in range(EACH)]
    assert dataset.train_images[:, 0, 3, 4].tolist() == red
    assert dataset.train_images[:, 1:].sum() == 0
    assert dataset.train_targets.tolist() == [n for b in range(5) for n in (b, 8, 9)]
    assert dataset.test_images[:, 0, 31, 31].tolist() == [50, 51, 52]
    assert dataset.test_targets.tolist() == [5, 8, 9]
    assert dataset.train_images.dtype == torch.uint8


def test_the_original_batches(batches, data):
    unpack(batches, data)
    dataset = load("cifar10")
    assert (dataset.name, dataset.source) == ("cifar10", "KDLAB_DATA, original")
    check_original(dataset)


def test_the_original_archive_is_read_without_unpacking(archive, data, capfd):
    (data / CIFAR10.filename).write_bytes(archive)
    dataset = load("cifar10")
    assert dataset.source == "KDLAB_DATA, original"
    check_original(dataset)
    assert files_under(data) == [CIFAR10.filename]
    assert "100%" in capfd.readouterr().err


def test_class_names_are_the_published_ones():
    assert list(cifar.CLASS_NAMES) == sorted(cifar.CLASS_NAMES)
    assert (cifar.CLASS_NAMES[0], cifar.CLASS_NAMES[9]) == ("airplane", "truck")


def test_a_batch_with_another_checksum_is_never_unpickled(batches, data):
    folder = unpack(batches, data)
    evidence = data / "evidence"
    hostile = b"cos\nsystem\n(S'touch " + str(evidence).encode() + b"'\ntR."
    (folder / "data_batch_3").write_bytes(hostile)
    with pytest.raises(DataDamaged) as caught:
        load("cifar10")
    assert str(caught.value).startswith(f"{folder / 'data_batch_3'} is damaged: the checksum of")
    assert not evidence.exists()


@pytest.mark.parametrize("kept", [0.3, 0.99])
def test_a_truncated_archive_is_named(archive, data, kept):
    (data / CIFAR10.filename).write_bytes(archive[: int(kept * len(archive))])
    with pytest.raises(DataDamaged, match=CIFAR10.filename):
        load("cifar10")


def test_an_archive_that_lacks_a_batch_is_named(batches, data):
    del batches["data_batch_2"]
    (data / CIFAR10.filename).write_bytes(tar_of(batches))
    with pytest.raises(DataDamaged, match="it lacks data_batch_2"):
        load("cifar10")


def test_it_is_fetched_as_one_archive(archive, cache, monkeypatch):
    with Server({CIFAR10.filename: archive}) as server, running(server):
        monkeypatch.setattr(CIFAR10, "url", server.mirror + CIFAR10.filename)
        dataset = load("cifar10")
        assert dataset.source == "the network, original"
        check_original(dataset)
        assert files_under(cache) == [CIFAR10.filename]
        server.asked.clear()
        assert load("cifar10").source == "the cache, original"
        assert server.asked == []


def test_without_a_network_it_is_told(data):
    with pytest.raises(DataUnavailable, match="^CIFAR-10 can't be had: ") as caught:
        load("cifar10")
    said = str(caught.value).partition("Set KDLAB_DATA to a folder that holds ")[2]
    for name in (CIFAR10.base_folder, CIFAR10.filename, cifar.JPEG_ARCHIVE):
        assert name in said


def jpeg(red: int, size: int = 32) -> bytes:
    packed = io.BytesIO()
    Image.new("RGB", (size, size), (red, 0, 0)).save(packed, "JPEG", quality=75)
    return packed.getvalue()


def jpegs() -> dict[str, bytes]:
    """Return two training images and one test image a class, not in order of class."""
    return {
        f"{part}/{label}/{number:04}.jpg": jpeg(20 * cifar.CLASS_NAMES.index(label) + number)
        for part, count in (("train", 2), ("test", 1))
        for label in reversed(cifar.CLASS_NAMES)
        for number in reversed(range(count))
    }


def test_the_copy_as_jpeg_says_so(data):
    (data / cifar.JPEG_ARCHIVE).write_bytes(tar_of({"README": b"", **jpegs()}))
    dataset = load("cifar10")
    assert dataset.source == "KDLAB_DATA, JPEG copy"
    assert dataset.train_images.shape == (20, 3, 32, 32)
    assert dataset.train_targets.tolist() == [label for label in range(10) for _ in range(2)]
    assert dataset.test_targets.tolist() == list(range(10))
    expected = torch.tensor([20 * label + number for label in range(10) for number in range(2)])
    assert (dataset.train_images[:, 0].float().mean((1, 2)) - expected).abs().max() < 3
    assert files_under(data) == [cifar.JPEG_ARCHIVE]


def test_the_original_comes_before_the_copy(batches, data):
    (data / cifar.JPEG_ARCHIVE).write_bytes(tar_of(jpegs()))
    unpack(batches, data)
    assert load("cifar10").source == "KDLAB_DATA, original"


@pytest.mark.parametrize(
    "path, content",
    [
        ("train/cat/0009.jpg", b"no picture"),
        ("train/cat/0009.jpg", jpeg(5, size=16)),
        ("train/pig/0009.jpg", jpeg(5)),
        ("other/cat/0009.jpg", jpeg(5)),
        ("0009.jpg", jpeg(5)),
    ],
)
def test_a_strange_picture_is_named(data, path, content):
    (data / cifar.JPEG_ARCHIVE).write_bytes(tar_of({**jpegs(), path: content}))
    with pytest.raises(DataDamaged, match=f"jpeg.tar.gz is damaged: {path} is no image"):
        load("cifar10")


def test_an_archive_without_test_images_is_named(data):
    files = {path: content for path, content in jpegs().items() if path.startswith("train")}
    (data / cifar.JPEG_ARCHIVE).write_bytes(tar_of(files))
    with pytest.raises(DataDamaged, match="it lacks training or test images"):
        load("cifar10")


def test_a_truncated_copy_is_named(data):
    whole = tar_of(jpegs())
    (data / cifar.JPEG_ARCHIVE).write_bytes(whole[:-4])
    with pytest.raises(DataDamaged, match="jpeg.tar.gz is damaged: .*end-of-stream"):
        load("cifar10")


def test_a_flipped_checksum_of_the_copy_is_seen(data):
    whole = bytearray(tar_of(jpegs()))
    whole[-6] ^= 1
    (data / cifar.JPEG_ARCHIVE).write_bytes(bytes(whole))
    with pytest.raises(DataDamaged, match="CRC check failed"):
        load("cifar10")


def test_something_else_under_the_name_is_named(data):
    (data / cifar.JPEG_ARCHIVE).write_bytes(gzip.compress(b"no tar" * 200))
    with pytest.raises(DataDamaged, match="jpeg.tar.gz is damaged"):
        load("cifar10")
