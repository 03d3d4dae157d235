"""Which files a student's code may read: Python and its packages, without kdlab and data sets."""

import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from kdlab.grading.sandbox.walls.landlock import EXECUTE, READ, READ_DIR, READ_FILE, WRITE

# Packages that hold answers or data that homework is graded with.
_HIDDEN = {"kdlab", "sklearn", "torchvision", "nbgrader"}
_SYSTEM = (
    "/lib /lib32 /lib64 /usr/lib64 /etc/ld.so.cache /etc/localtime /usr/share/zoneinfo "
    "/proc/cpuinfo /proc/meminfo /sys/devices/system/cpu /sys/devices/system/node "
    "/dev/urandom /dev/random /dev/zero"
).split()


def rules(private: Path) -> Iterator[tuple[Path, int]]:
    """Yield path -> what is allowed there, for `landlock.restrict`."""
    yield private, READ | WRITE
    yield Path(os.devnull), READ_FILE | WRITE
    for name in _SYSTEM:
        yield Path(name), READ | EXECUTE
    for folder in _package_folders():
        yield folder, READ_DIR
        for entry in _entries(folder):
            yield entry, READ | EXECUTE


def _package_folders() -> list[Path]:
    named = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    named |= {place for place in sys.path if place and Path(place).is_dir()}
    # Shared libraries of the system lie beside Python's own on Debian.
    named |= {f"/usr/lib/{machine}" for machine in _machines()}
    return sorted({Path(place).resolve() for place in named if place})


def _machines() -> list[str]:
    folder = Path("/usr/lib")
    return [path.name for path in folder.glob("*-linux-gnu*")] if folder.is_dir() else []


def _entries(folder: Path) -> Iterator[Path]:
    """List what lies in a folder of packages, other such folders and hidden ones apart."""
    others = {"site-packages", "dist-packages"}
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        stem = name.partition(".")[0].partition("-")[0].lower()
        if stem not in _HIDDEN and name not in others and "__editable__" not in name:
            yield folder / name
