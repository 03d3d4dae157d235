"""Where data may lie: KDLAB_DATA, the user's cache; and what is said when it can't be had."""

import os
import sys
from pathlib import Path


class DataUnavailable(RuntimeError):
    """A data set is not at hand and can't be fetched.

    Attributes:
        reason: Why it can't be fetched, in a few words and without a path.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class DataDamaged(RuntimeError):
    """A file of a data set is there but can't be trusted; the message names it."""

    def __init__(self, file: Path, trouble: str, *, fetched: bool = True) -> None:
        named = os.environ.get("KDLAB_DATA", "")
        ours = not named or not file.is_relative_to(Path(named).expanduser())
        # A shared folder may be read-only for who reads this.
        otherwise = "or delete it" if ours else "delete it, or unset KDLAB_DATA"
        further = ": kdlab.data.load then looks further, and fetches what is missing"
        super().__init__(
            f"{file} is damaged: {trouble}. Replace it by a whole copy"
            f"{f', {otherwise}{further}' if fetched else ''}."
        )


def data_folder() -> Path | None:
    """Return the folder that KDLAB_DATA names, or None where it is not set.

    Raises:
        ValueError: KDLAB_DATA is no folder.
    """
    named = os.environ.get("KDLAB_DATA", "")
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise ValueError(
            "KDLAB_DATA must be a folder that holds data sets as torchvision lays them out "
            f"(MNIST/raw/...), got {named!r}, which is no folder"
        )
    return folder


def cache_folder() -> Path:
    """Return the folder for fetched data; it need not exist. KDLAB_CACHE overrides it."""
    named = os.environ.get("KDLAB_CACHE", "")
    if named:
        return Path(named).expanduser()
    if sys.platform == "win32":
        usual = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        usual = "~/Library/Caches"
    else:
        usual = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(usual).expanduser() / "kdlab"


def places() -> list[tuple[Path, str]]:
    """Return where data are looked for, in order, each folder with its name for a caption."""
    folder = data_folder()
    named = [(folder, "KDLAB_DATA")] if folder else []
    return [*named, (cache_folder(), "the cache")]


def not_at_hand(title: str, layout: str, reason: str, otherwise: str = "") -> DataUnavailable:
    """Return the error for a set that is in none of the places and can't be fetched."""
    folder = data_folder()
    looked = f"KDLAB_DATA ({folder}) does not hold it" if folder else "KDLAB_DATA is not set"
    return DataUnavailable(
        f"{title} can't be had: {looked}, the cache ({cache_folder()}) does not hold it, and "
        f"{reason}. Set KDLAB_DATA to a folder that holds {layout}{otherwise}.",
        reason=reason,
    )


def is_offline() -> bool:
    """Return True if KDLAB_OFFLINE forbids the network: anything but empty or 0."""
    return os.environ.get("KDLAB_OFFLINE", "") not in ("", "0")
