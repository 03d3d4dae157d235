"""Start the server, inside bubblewrap where that is to be had, and say what isolation it gives."""

import contextlib
import json
import platform
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kdlab.grading.sandbox.isolation import unisolated
from kdlab.grading.sandbox.lane import Lane, ServerEnded
from kdlab.grading.sandbox.starting import start_command

WALLS = ("landlock", "seccomp", "privileges", "bubblewrap")
_START_SECONDS = 120.0
_TMPFS_BYTES = 512 * 2**20
_ROOT = Path(__file__).resolve().parents[3]


class Sandbox:
    """A server with some lanes; use it in a `with` block.

    Args:
        imports: Packages that it loads once, for example ``("numpy", "torch")``.
        lanes: How many children may run at a time.
        walls: Which walls to put up; all of them, but for tests.

    Attributes:
        lanes: One `Lane` for each.
        isolation: What stands, for example ``Landlock 7, seccomp, bubblewrap``, or
            ``unisolated: `` and the reason.
    """

    def __init__(
        self,
        imports: Sequence[str] = ("numpy", "torch"),
        *,
        lanes: int = 1,
        walls: Sequence[str] = WALLS,
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="kdlab-grading-"))
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(lanes)]
        theirs = [their.fileno() for _, their in pairs]
        self._controls = [our for our, _ in pairs]
        self._wrapped = _wrapper(walls)
        self._process = self._start(imports, theirs, walls)
        for _, their in pairs:
            their.close()
        self.lanes = [Lane(control) for control in self._controls]
        self.isolation = ""

    def wait(self) -> "Sandbox":
        """Wait until it is ready.

        Raises:
            ServerEnded: It doesn't start.
        """
        said = [self._first_word(control) for control in self._controls]
        self.isolation = _describe(said[0], bool(self._wrapped))
        return self

    def close(self) -> None:
        """End the server and all that it started."""
        for control in self._controls:
            control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> "Sandbox":
        return self.wait()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, imports: Sequence[str], lanes: list[int], walls: Sequence[str]):
        # Inside bubblewrap the folder is a memory disk of limited size under another name.
        place = Path("/box") if self._wrapped else self._folder
        settings = {
            "imports": list(imports),
            "lanes": lanes,
            "private": [str(place / f"lane-{number}") for number in range(len(lanes))],
            "walls": list(walls),
        }
        return subprocess.Popen(
            [*self._wrapped, *start_command("server", settings)],
            stdin=subprocess.DEVNULL,
            pass_fds=lanes,
            start_new_session=True,
            env={"LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )

    def _first_word(self, control: socket.socket) -> dict:
        control.settimeout(_START_SECONDS)
        try:
            data = control.recv(2**16)
        except OSError:
            data = b""
        if not data:
            raise ServerEnded("the sandbox doesn't start; its message stands above")
        control.settimeout(None)
        return json.loads(data)


class Early:
    """A sandbox that starts before the one who uses it is ready; close it if nobody came.

    Args:
        imports, lanes: As for `Sandbox`.
    """

    def __init__(self, imports: Sequence[str], *, lanes: int) -> None:
        self._sandbox: Sandbox | None = Sandbox(imports, lanes=lanes)

    def open(self, imports: Sequence[str], *, lanes: int) -> Sandbox:
        """Hand it out the first time; later, start another one."""
        taken, self._sandbox = self._sandbox, None
        return taken or Sandbox(imports, lanes=lanes)

    def close(self) -> None:
        """End it, unless it was handed out."""
        if self._sandbox:
            self._sandbox.close()


def _wrapper(walls: Sequence[str]) -> list[str]:
    """Return bubblewrap's command line, or [] where it isn't asked for or doesn't work."""
    program = shutil.which("bwrap")
    if "bubblewrap" not in walls or platform.system() != "Linux" or program is None:
        return []
    command = [program, *_wrapping()]
    tried = subprocess.run(
        [*command, sys.executable, "-I", "-c", "pass"], capture_output=True, timeout=60
    )
    return command if tried.returncode == 0 else []


def _wrapping() -> list[str]:
    options = "--unshare-user --unshare-ipc --unshare-pid --unshare-net --unshare-uts"
    options += " --die-with-parent --new-session --cap-drop ALL --proc /proc --dev /dev"
    options += f" --size {_TMPFS_BYTES} --tmpfs /box"
    command = options.split()
    for place in _seen():
        command += ["--ro-bind-try", place, place]
    return [*command, "--chdir", "/"]


def _seen() -> list[str]:
    """What the server needs to see to start: Python, its packages, the system's libraries."""
    named = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    named |= {sys.prefix, sys.base_prefix, str(_ROOT / "kdlab"), str(Path(sys.executable).parent)}
    named |= {"/usr", "/lib", "/lib32", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/localtime"}
    named |= {"/sys/devices/system/cpu", "/sys/devices/system/node"}
    return sorted({place for place in named if place}, key=len)


def _describe(said: dict, wrapped: bool) -> str:
    missing = [] if said["landlock"] else ["Landlock"]
    missing += [] if said["seccomp"] else ["seccomp"]
    if missing:
        found = f"{platform.system()} {platform.machine()}"
        return unisolated(f"no {' and no '.join(missing)} here ({found})")
    walls = [f"Landlock {said['landlock']}", "seccomp"]
    return ", ".join(walls + (["bubblewrap"] if wrapped else []))
