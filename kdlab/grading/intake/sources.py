"""Where a submission's bytes lie, as plain data, and how they are read: once and bounded."""

import errno
import io
import os
import stat
import struct
import zlib
from dataclasses import dataclass
from io import BufferedIOBase

from kdlab.grading.intake.words import Rejected, amount

# A zip inside a zip is held in memory while it is read.
LARGEST_INNER_ZIP = 32 * 2**20
LINK = "The file is a symbolic link; links are not followed."
SPECIAL = "The file is no regular file. Hand in the notebook itself."
_PIECE = 2**16
_HIGHEST_RATIO = 300
_SMALL = 2**20
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 1


def _flag(name: str) -> int:
    return getattr(os, name, 0)


_COMMON = os.O_RDONLY | _flag("O_NOFOLLOW") | _flag("O_CLOEXEC") | _flag("O_BINARY")
_FILE = _COMMON | _flag("O_NONBLOCK") | _flag("O_NOCTTY")
_FOLDER = _COMMON | _flag("O_DIRECTORY")


@dataclass(frozen=True)
class Refused:
    """Something that can't be graded, found before it was opened."""

    reason: str

    def read(self, limit: int) -> bytes:
        """Raise Rejected."""
        raise Rejected(self.reason)


@dataclass(frozen=True)
class FileSource:
    """A file below a folder; no link on the way to it is followed."""

    root: str
    parts: tuple[str, ...]

    def open(self) -> BufferedIOBase:
        """Open the file if it is a regular one.

        Raises:
            Rejected: It is a link, a device or gone.
        """
        try:
            return _regular(_open_below(self.root, self.parts))
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise Rejected(LINK) from None
            raise Rejected(f"The file can't be read: {error.strerror}.") from None

    def read(self, limit: int) -> bytes:
        """Return the file's bytes.

        Raises:
            Rejected: It is larger than the limit, or can't be read.
        """
        with self.open() as file:
            check_size(os.fstat(file.fileno()).st_size, limit)
            try:
                data = file.read(limit + 1)
            except OSError as error:
                raise Rejected(f"The file can't be read: {error.strerror}.") from None
        check_size(len(data), limit)
        return data


@dataclass(frozen=True)
class Member:
    """What a zip's directory says of one file."""

    offset: int
    packed: int
    size: int
    checksum: int
    method: int
    flags: int


@dataclass(frozen=True)
class ZipSource:
    """A file in a zip, which itself is a file or lies in a zip."""

    archive: "FileSource | ZipSource"
    member: Member

    def open(self) -> BufferedIOBase:
        """Hold the file in memory: it is a zip in a zip."""
        return io.BytesIO(self.read(LARGEST_INNER_ZIP))

    def read(self, limit: int) -> bytes:
        """Return the file's bytes.

        Raises:
            Rejected: It is larger than the limit, or can't be unpacked.
        """
        _check_member(self.member, limit)
        with self.archive.open() as stream:
            try:
                return _unpack(stream, self.member)
            except (OSError, ValueError, OverflowError, struct.error, zlib.error):
                raise Rejected("The file can't be unpacked: its zip is damaged.") from None


Source = Refused | FileSource | ZipSource


def check_size(size: int, limit: int) -> None:
    """Raise Rejected where a file is larger than the limit."""
    if size > limit:
        raise Rejected(
            f"The file has {amount(size)}; at most {amount(limit)} are read. "
            "Clear the outputs and hand it in again."
        )


def _open_below(root: str, parts: tuple[str, ...]) -> int:
    if os.open not in os.supports_dir_fd:
        paths = [os.path.join(root, *parts[:n]) for n in range(1, len(parts) + 1)]
        if any(map(os.path.islink, paths)):
            raise OSError(errno.ELOOP, "is a link")
        return os.open(paths[-1], _FILE)
    folder = os.open(root, _FOLDER & ~_flag("O_NOFOLLOW"))
    try:
        for part in parts[:-1]:
            inner = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(parts[-1], _FILE, dir_fd=folder)
    finally:
        os.close(folder)


def _regular(file: int) -> BufferedIOBase:
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise Rejected(SPECIAL)
    return os.fdopen(file, "rb")


def _check_member(member: Member, limit: int) -> None:
    if member.flags & _ENCRYPTED:
        raise Rejected("The file is encrypted in its zip. Hand it in without a password.")
    if member.method not in (_STORED, _DEFLATED):
        raise Rejected("The file is packed in an unusual way. Make an ordinary zip.")
    check_size(member.size, limit)
    if member.size > max(_SMALL, _HIGHEST_RATIO * member.packed):
        raise Rejected(f"The file unpacks to more than {_HIGHEST_RATIO} times its size in the zip.")


def _unpack(stream: BufferedIOBase, member: Member) -> bytes:
    stream.seek(member.offset)
    head = stream.read(30)
    if head[:4] != b"PK\x03\x04":
        raise ValueError("no file here")
    stream.seek(sum(struct.unpack("<HH", head[26:30])), os.SEEK_CUR)
    data = _inflated(stream, member)
    if len(data) != member.size or zlib.crc32(data) != member.checksum:
        raise ValueError("not what the directory says")
    return data


def _inflated(stream: BufferedIOBase, member: Member) -> bytes:
    # One byte more than declared, so that a lie is seen; never more than that.
    if member.method == _STORED:
        return stream.read(min(member.packed, member.size + 1))
    decoder, data, left = zlib.decompressobj(-zlib.MAX_WBITS), bytearray(), member.packed
    while len(data) <= member.size and not decoder.eof:
        packed = decoder.unconsumed_tail or stream.read(min(_PIECE, left))
        left -= 0 if decoder.unconsumed_tail else len(packed)
        out = decoder.decompress(packed, member.size + 1 - len(data))
        if not packed and not out:
            break
        data += out
    return bytes(data)
