"""MNIST and Fashion-MNIST: four files in the IDX format, gzipped or not."""

import gzip
import math
import zlib
from io import BufferedIOBase
from pathlib import Path

import torch
from torch import Tensor

from kdlab.data.dataset import Tensors
from kdlab.data.places import DataDamaged

FILES = tuple(
    f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")
)
_CHUNK = 1 << 20
_MOST_BYTES = 1 << 30


def find_idx(raw: Path) -> list[Path] | None:
    """Return the four files of a folder, in the order of `FILES`, or None if one is missing."""
    found = []
    for name in FILES:
        # The gzipped one first: its checksum tells us if it is whole.
        choices = [path for path in (raw / f"{name}.gz", raw / name) if path.is_file()]
        found += choices[:1]
    return found if len(found) == len(FILES) else None


def read_idx_set(raw: Path) -> Tensors | None:
    """Read training images and targets, test images and targets; None if files are missing.

    Raises:
        DataDamaged: A file is no IDX file, is cut short, or doesn't fit its neighbour.
    """
    files = find_idx(raw)
    if files is None:
        return None
    train_images, train_labels, test_images, test_labels = map(_read_file, files, (3, 1, 3, 1))
    _check_labels(train_images, train_labels, files[1])
    _check_labels(test_images, test_labels, files[3])
    return train_images[:, None], train_labels.long(), test_images[:, None], test_labels.long()


def _check_labels(images: Tensor, labels: Tensor, file: Path) -> None:
    if len(images) != len(labels):
        raise DataDamaged(file, f"it has {len(labels)} labels for {len(images)} images")
    if int(labels.max()) > 9:
        raise DataDamaged(file, f"its labels must be in [0, 10), got {int(labels.max())}")


def _read_file(file: Path, dimensions: int) -> Tensor:
    """Read one IDX file of bytes as uint8, with that many dimensions."""
    try:
        with gzip.open(file) if file.suffix == ".gz" else open(file, "rb") as stream:
            return _read_stream(stream, dimensions)
    except (EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise DataDamaged(file, str(error)) from error


def _read_stream(stream: BufferedIOBase, dimensions: int) -> Tensor:
    # The format: two zeros, 8 for unsigned bytes, the number of dimensions, each dimension
    # as four bytes (high byte first), then the bytes themselves.
    head = stream.read(4 + 4 * dimensions)
    if head[:4] != bytes((0, 0, 8, dimensions)) or len(head) < 4 + 4 * dimensions:
        raise ValueError(f"it does not start as an IDX file of {dimensions} dimension(s)")
    shape = [int.from_bytes(head[i : i + 4], "big") for i in range(4, len(head), 4)]
    size = math.prod(shape)
    if not 0 < size <= _MOST_BYTES:
        raise ValueError(f"it claims a size of {shape}")
    return _read_bytes(stream, size).view(shape)


def _read_bytes(stream: BufferedIOBase, size: int) -> Tensor:
    values = torch.empty(size, dtype=torch.uint8)
    space, done = memoryview(values.numpy()), 0
    # By chunks, straight into the tensor: no second copy of the whole set at any time.
    while count := stream.readinto(space[done : done + _CHUNK]):
        done += count
    # Reading on to the end is what makes gzip compare its checksum.
    if done < size or stream.read(1):
        more = "more" if done == size else done
        raise ValueError(f"it must hold {size} bytes, got {more}")
    return values
