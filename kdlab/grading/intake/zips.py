"""A zip's directory, read as untrusted data; nothing is ever unpacked to disk."""

import io
import re
import stat
import struct
import zipfile
from dataclasses import dataclass
from io import BufferedIOBase

from kdlab.grading.intake.sources import FileSource, Member, Refused, Source, ZipSource
from kdlab.grading.intake.words import Rejected, shown

# A directory entry takes at least 46 bytes in the file and some 700 in memory.
_BYTES_PER_ENTRY = 256
_UTF8 = 0x800
_DRIVE = re.compile(r"[A-Za-z]:/")
_DAMAGED = (
    zipfile.BadZipFile,
    NotImplementedError,
    OSError,
    ValueError,
    OverflowError,
    MemoryError,
    EOFError,
    struct.error,
)


@dataclass(frozen=True)
class Entry:
    """One name in a zip's directory."""

    parts: tuple[str, ...]
    source: Source
    folder: bool


class _Guarded(io.RawIOBase):
    """A file of which zipfile can't read a huge directory in one go."""

    def __init__(self, stream: BufferedIOBase, largest: int) -> None:
        self._stream, self._largest = stream, largest

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(min(size, self._largest + 1) if size >= 0 else self._largest + 1)
        if len(data) > self._largest:
            raise ValueError(f"a directory of more than {self._largest} bytes")
        return data

    def seek(self, place: int, whence: int = 0) -> int:
        return self._stream.seek(place, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def seekable(self) -> bool:
        return True


def members(archive: FileSource | ZipSource, most: int) -> list[Entry]:
    """Read the directory of a zip.

    Args:
        archive: Where the zip lies.
        most: How many files it may hold.

    Raises:
        Rejected: It is damaged, or holds too many files.
    """
    with archive.open() as stream:
        try:
            guarded = _Guarded(stream, max(2**16, most * _BYTES_PER_ENTRY))
            with zipfile.ZipFile(guarded) as opened:
                infos = opened.infolist()
        except _DAMAGED:
            raise Rejected("The zip is damaged, or no zip, and can't be read.") from None
    if len(infos) > most:
        raise Rejected(f"The zip holds more than {most:,} files.")
    return [_entry(archive, info) for info in infos]


def _entry(archive: FileSource | ZipSource, info: zipfile.ZipInfo) -> Entry:
    path = _name(info).replace("\\", "/")
    parts = tuple(part for part in path.split("/") if part not in ("", ".", ".."))
    kind = stat.S_IFMT(info.external_attr >> 16)
    folder = path.endswith("/") or kind == stat.S_IFDIR
    source = Refused("The folder is empty.") if folder else _source(archive, info, path, kind)
    return Entry(parts, source, folder)


def _source(archive: FileSource | ZipSource, info: zipfile.ZipInfo, path: str, kind: int) -> Source:
    name = shown(path)
    if path.startswith("/") or ".." in path.split("/") or _DRIVE.match(path):
        return Refused(f'The zip names a file outside of itself: "{name}".')
    if kind == stat.S_IFLNK:
        return Refused(f"{name} is a symbolic link; links are not followed.")
    if kind not in (0, stat.S_IFREG):
        return Refused(f"{name} is no regular file. Hand in the notebook itself.")
    place = (info.header_offset, info.compress_size, info.file_size)
    return ZipSource(archive, Member(*place, info.CRC, info.compress_type, info.flag_bits))


def _name(info: zipfile.ZipInfo) -> str:
    """Return the name; many programs write UTF-8 and don't say so."""
    name = info.orig_filename.partition("\0")[0]
    if info.flag_bits & _UTF8:
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name
