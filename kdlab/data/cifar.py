"""CIFAR-10: the original batches, packed or not, or a copy as JPEG files in one archive."""

import gzip
import hashlib
import io
import pickle
import tarfile
import warnings
import zlib
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.hub import tqdm

from kdlab.data.dataset import Tensors
from kdlab.data.places import DataDamaged

CLASS_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
JPEG_ARCHIVE = "CIFAR10-jpeg.tar.gz"
#: Where each copy lies in the folder, for who looks for it.
LAYOUT = f"cifar-10-batches-py/, cifar-10-python.tar.gz or, with the images as JPEG, {JPEG_ARCHIVE}"
_CHUNK = 1 << 20


def read_cifar10(root: Path) -> tuple[Tensors, str] | None:
    """Read the set from a folder, unpacking nothing into it.

    Returns:
        Training images and targets, test images and targets; and which copy it is:
        "original", or "JPEG copy" (lossy: results are close to published ones, not
        comparable). None if the folder holds neither.

    Raises:
        DataDamaged: A file's checksum is wrong, or an archive can't be read to its end.
    """
    # Inside, so that `import kdlab.data` costs torch and no more.
    from torchvision.datasets import CIFAR10

    folder, archive, jpegs = (
        root / name for name in (CIFAR10.base_folder, CIFAR10.filename, JPEG_ARCHIVE)
    )
    checksums = dict(CIFAR10.train_list + CIFAR10.test_list)
    if all((folder / name).is_file() for name in checksums):
        return _read_original(_unpacked(folder, checksums), checksums), "original"
    if archive.is_file():
        return _read_original(_packed(archive, checksums), checksums), "original"
    if jpegs.is_file():
        return _read_jpegs(jpegs), "JPEG copy"
    return None


def _unpacked(folder: Path, names: dict[str, str]) -> Iterator[tuple[Path, str, bytes]]:
    for name in names:
        yield folder / name, name, (folder / name).read_bytes()


def _packed(archive: Path, names: dict[str, str]) -> Iterator[tuple[Path, str, bytes]]:
    missing = set(names)
    for path, content in _members(archive):
        name = path.rpartition("/")[2]
        if name in missing:
            missing.remove(name)
            yield archive, name, content
    if missing:
        raise DataDamaged(archive, f"it lacks {', '.join(sorted(missing))}")


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file in a gzipped tar; a bar on stderr shows how far."""
    try:
        with open(archive, "rb") as packed, gzip.open(packed) as stream:
            with tqdm(total=archive.stat().st_size, unit="B", unit_scale=True) as bar:
                yield from _watched(stream, lambda: bar.update(packed.tell() - bar.n))
    except (EOFError, OSError, tarfile.TarError, zlib.error) as error:
        raise DataDamaged(archive, str(error)) from error


def _watched(stream: BufferedIOBase, tick: Callable[[], object]) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            if member.isfile():
                yield member.name, tar.extractfile(member).read()
            tick()
    # tarfile stops before the end; only there does gzip compare its checksum.
    while stream.read(_CHUNK):
        pass
    tick()


def _read_original(
    batches: Iterator[tuple[Path, str, bytes]], checksums: dict[str, str]
) -> Tensors:
    images, targets = {}, {}
    for file, name, content in batches:
        # A pickle can run code, so that we open none but the published ones.
        if hashlib.md5(content, usedforsecurity=False).hexdigest() != checksums[name]:
            raise DataDamaged(file, f"the checksum of {name} is not the published one")
        batch = _unpickle(content)
        images[name] = torch.from_numpy(batch["data"]).view(-1, 3, 32, 32)
        targets[name] = torch.tensor(batch["labels"])
    *train, test = checksums
    return (
        torch.cat([images[name] for name in train]),
        torch.cat([targets[name] for name in train]),
        images[test],
        targets[test],
    )


def _unpickle(content: bytes) -> dict:
    with warnings.catch_warnings():
        # Written by Python 2: NumPy 2.4 minds how the type of the array is put there.
        warnings.simplefilter("ignore", category=DeprecationWarning)
        warnings.simplefilter("ignore", category=np.exceptions.VisibleDeprecationWarning)
        return pickle.loads(content, encoding="latin1")


def _read_jpegs(archive: Path) -> Tensors:
    parts = {"train": [], "test": []}
    for path, content in _members(archive):
        if not path.endswith(".jpg"):
            continue
        try:
            part, label, name = path.split("/")[-3:]
            parts[part].append((CLASS_NAMES.index(label), name, _decode(content)))
        except (KeyError, OSError, ValueError) as error:
            raise DataDamaged(archive, f"{path} is no image of this set") from error
    if not all(parts.values()):
        raise DataDamaged(archive, "it lacks training or test images")
    return (*_stack(parts["train"]), *_stack(parts["test"]))


def _decode(content: bytes) -> Tensor:
    # Pillow comes with torchvision, whose own decoder is on its way out.
    from PIL import Image

    image = Image.open(io.BytesIO(content), formats=("JPEG",))
    if image.size != (32, 32) or image.mode != "RGB":
        raise ValueError(f"an image must be 32 x 32 in RGB, got {image.size} in {image.mode}")
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def _stack(examples: list[tuple[int, str, Tensor]]) -> tuple[Tensor, Tensor]:
    # By class, then by number: the order of an archive's members is nobody's promise.
    examples.sort(key=lambda example: example[:2])
    targets = torch.tensor([target for target, _, _ in examples])
    return torch.stack([image for _, _, image in examples]), targets
