"""Fetch files from a set's mirrors, so that none appears under its name before it is whole."""

import io
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

ANSWER_WITHIN = 4.0
"""Seconds for a server to give its first answer; without a network we wait no longer."""

STALL_AFTER = 10.0
"""Seconds without a byte after which a download has failed."""


class FetchFailed(Exception):
    """Why files can't be fetched: a few words without a path, to stand in a sentence."""


def fetch(mirrors: Sequence[str], files: Sequence[tuple[str, str]], folder: Path) -> None:
    """Fetch what a folder lacks of some files, with a progress bar for each on stderr.

    A file is written into a temporary folder inside `folder` and gets its name in one step
    once its checksum is right. So two processes may fetch at once, and a failure leaves
    nothing behind that looks like data.

    Args:
        mirrors: Addresses that end in "/", tried in this order.
        files: Name and md5 of each.
        folder: Made if need be.

    Raises:
        FetchFailed: No mirror answers, none has a whole file, or the folder can't be written.
    """
    missing = [(name, md5) for name, md5 in files if not (folder / name).is_file()]
    with _temporary_folder(folder) as part:
        answering = _answering(mirrors, missing[0][0]) if missing else []
        for name, md5 in missing:
            _fetch_one(answering, name, md5, part)
            _give_name(part / name, folder / name)


@contextmanager
def _temporary_folder(inside: Path) -> Iterator[Path]:
    try:
        inside.mkdir(parents=True, exist_ok=True)
        part = tempfile.TemporaryDirectory(
            dir=inside, prefix=".fetching-", ignore_cleanup_errors=True
        )
    except OSError as error:
        raise FetchFailed(f"the cache folder can't be written ({_brief(error)})") from error
    with part as path:
        yield Path(path)


def _answering(mirrors: Sequence[str], name: str) -> list[str]:
    """Return the mirrors that answer soon. All are asked at once, so the wait is bounded."""
    answered = set()
    asked = [threading.Thread(target=_ask, args=(m, name, answered), daemon=True) for m in mirrors]
    for thread in asked:
        thread.start()
    # A time-out on the socket alone doesn't bound the look-up of the name, nor the number of
    # addresses that are tried one after the other.
    end = time.monotonic() + ANSWER_WITHIN
    for thread in asked:
        thread.join(max(0.0, end - time.monotonic()))
    return [mirror for mirror in mirrors if mirror in answered]


def _ask(mirror: str, name: str, answered: set[str]) -> None:
    try:
        urlopen(Request(mirror + name, method="HEAD"), timeout=ANSWER_WITHIN).close()
    except HTTPError as refusal:
        refusal.close()
    except (OSError, HTTPException):
        return
    answered.add(mirror)


def _fetch_one(mirrors: Sequence[str], name: str, md5: str, part: Path) -> None:
    # Inside, so that `import kdlab.data` costs torch and no more.
    from torchvision.datasets.utils import download_url

    if not mirrors:
        raise FetchFailed(f"no server answered within {ANSWER_WITHIN:g} s")
    troubles = []
    for mirror in mirrors:
        try:
            # Older versions print the file's path; what a notebook shows is committed.
            with _short_timeouts(), redirect_stdout(io.StringIO()):
                return download_url(mirror + name, part, filename=name, md5=md5)
        except (OSError, HTTPException, RuntimeError) as error:
            damaged = type(error) is RuntimeError and (part / name).is_file()
            troubles.append("it came damaged or cut short" if damaged else _brief(error))
    raise FetchFailed(f"fetching {name} failed ({'; '.join(dict.fromkeys(troubles))})")


@contextmanager
def _short_timeouts() -> Iterator[None]:
    # torchvision's download takes no time-out of its own.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALL_AFTER)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _give_name(part: Path, final: Path) -> None:
    try:
        os.replace(part, final)
    except PermissionError:
        # Windows: another process got there first and reads it; its copy is as whole as ours.
        if not final.is_file():
            raise


def _brief(error: Exception) -> str:
    """Say what went wrong without the path that an OSError brings along."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
