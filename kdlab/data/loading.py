"""`load`: a data set by its name, from KDLAB_DATA, the user's cache or the network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kdlab._checks import check_choice
from kdlab.data.cifar import CLASS_NAMES, LAYOUT, read_cifar10
from kdlab.data.dataset import Dataset, Tensors
from kdlab.data.digits import read_digits
from kdlab.data.fetching import FetchFailed, fetch
from kdlab.data.idx import read_idx_set
from kdlab.data.places import DataUnavailable, cache_folder, is_offline, not_at_hand, places

_DIGITS = tuple("0123456789")
_CLOTHES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


@dataclass(frozen=True)
class _Kind:
    """What we must know of a set: how to read it from a root folder, and how to fetch it."""

    title: str
    layout: str
    class_names: tuple[str, ...]
    read: Callable[[Path], tuple[Tensors, str] | None]
    fetch: Callable[[Path], None]


def load(name: str = "auto") -> Dataset:
    """Load a data set into memory, its images as bytes.

    We look under KDLAB_DATA (torchvision's layout: ``MNIST/raw/...``, gzipped or not; nothing
    is ever written there), then in the user's cache (KDLAB_CACHE overrides its place), then
    on the network through torchvision, into the cache. With KDLAB_OFFLINE=1 the network is
    left alone. Nothing else in kdlab touches it.

    Args:
        name: "mnist", "fashion-mnist", "cifar10", "digits" (1,797 real digits that come with
            scikit-learn, enlarged to 28 x 28), or "auto": MNIST if it is at hand or can be
            fetched, else digits. "auto" prints one line that says which, and why.

    Returns:
        The data set; its `source` says where it came from.

    Raises:
        ValueError: The name is unknown, or KDLAB_DATA is no folder.
        DataDamaged: A file is there but is no whole file of this set; it is named.
        DataUnavailable: The set is not at hand and can't be fetched.
    """
    check_choice(("auto", "digits", *_KINDS), name=name)
    if name == "auto":
        return _load_auto()
    if name == "digits":
        return Dataset("digits", "scikit-learn", *read_digits(), _DIGITS)
    return _load_kind(name, _KINDS[name])


def _load_auto() -> Dataset:
    title, why = _KINDS["mnist"].title, ""
    try:
        dataset = load("mnist")
    except DataUnavailable as error:
        title, why = "digits", f", because MNIST is not at hand and {error.reason}"
        dataset = load("digits")
    count = len(dataset.train_targets)
    print(f"data: {title}, {count:,} training images, from {dataset.source}{why}")
    return dataset


def _load_kind(name: str, kind: _Kind) -> Dataset:
    for root, source in places():
        if found := kind.read(root):
            return _dataset(name, kind, found, source)
    try:
        if is_offline():
            raise FetchFailed("KDLAB_OFFLINE forbids fetching it")
        kind.fetch(cache_folder())
    except FetchFailed as failure:
        otherwise = ', or connect once to fetch it; load("digits") always works'
        raise not_at_hand(kind.title, kind.layout, str(failure), otherwise) from failure
    return _dataset(name, kind, kind.read(cache_folder()), "the network")


def _dataset(name: str, kind: _Kind, found: tuple[Tensors, str], source: str) -> Dataset:
    tensors, variant = found
    return Dataset(name, source + (f", {variant}" if variant else ""), *tensors, kind.class_names)


def _idx_kind(title: str, torchvision_name: str, class_names: Sequence[str]) -> _Kind:
    def read(root: Path) -> tuple[Tensors, str] | None:
        tensors = read_idx_set(root / torchvision_name / "raw")
        return tensors and (tensors, "")

    def fetch_raw(root: Path) -> None:
        from torchvision import datasets

        known = getattr(datasets, torchvision_name)
        fetch(known.mirrors, known.resources, root / torchvision_name / "raw")

    return _Kind(title, f"{torchvision_name}/raw", tuple(class_names), read, fetch_raw)


def _fetch_cifar10(root: Path) -> None:
    from torchvision.datasets import CIFAR10

    mirror = CIFAR10.url.removesuffix(CIFAR10.filename)
    fetch([mirror], [(CIFAR10.filename, CIFAR10.tgz_md5)], root)


_KINDS = {
    "mnist": _idx_kind("MNIST", "MNIST", _DIGITS),
    "fashion-mnist": _idx_kind("Fashion-MNIST", "FashionMNIST", _CLOTHES),
    "cifar10": _Kind("CIFAR-10", LAYOUT, CLASS_NAMES, read_cifar10, _fetch_cifar10),
}
