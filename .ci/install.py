"""Make `.venv` and put the pinned packages and kdlab into it. Needs only the standard library.

    python3 .ci/install.py        what `make install` runs; on Windows: py .ci\\install.py

A second call sees that nothing changed and returns at once. "Changed" means: another
requirements.txt or pyproject.toml, or a folder that was moved (a `.venv` knows its own path).
"""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "kdlab-installed"
OLDEST, TOO_NEW = (3, 11), (3, 14)


def fingerprint() -> str:
    """Return what the content of `.venv` depends on, as one hash."""
    wanted = [(ROOT / name).read_bytes() for name in ("requirements.txt", "pyproject.toml")]
    return hashlib.sha256(b"\0".join([*wanted, str(ROOT).encode()])).hexdigest()


def is_current() -> bool:
    """Tell if `.venv` holds what the files of this folder ask for."""
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text().strip() == fingerprint()


def check_version() -> None:
    """Stop with one sentence where this Python is too old or too new."""
    if not OLDEST <= sys.version_info[:2] < TOO_NEW:
        sys.exit(
            f"kdlab needs Python 3.11, 3.12 or 3.13; {sys.executable} is "
            f"{sys.version.split()[0]}. Name another one: make install PYTHON=python3.12"
        )


def make_venv() -> None:
    """Create `.venv`, or create it anew where its Python or its pip doesn't start."""
    probe = [str(PYTHON), "-m", "pip", "--version"]
    if PYTHON.exists() and subprocess.run(probe, capture_output=True).returncode == 0:
        return
    print(f"install: making .venv with Python {sys.version.split()[0]}", flush=True)
    if subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)]).returncode:
        sys.exit(
            "install: this Python can't make a virtual environment. On Debian and Ubuntu: "
            "sudo apt install python3-venv; elsewhere install Python from python.org."
        )


def install_packages() -> None:
    """Install the pins and kdlab itself; the stamp appears only when all of it went well."""
    print("install: the packages of requirements.txt, then kdlab (torch is large)", flush=True)
    STAMP.unlink(missing_ok=True)
    asked = ["install", "--disable-pip-version-check", "-r", "requirements.txt", "-e", "."]
    found = subprocess.run([str(PYTHON), "-m", "pip", *asked], cwd=ROOT)
    if found.returncode:
        sys.exit("install: pip failed, its message stands above; run the same command to go on")
    STAMP.write_text(fingerprint() + "\n")


def main() -> None:
    """Install where something changed, and say how long it took."""
    start = time.perf_counter()
    check_version()
    if is_current():
        print("install: .venv is up to date")
        return
    make_venv()
    install_packages()
    print(f"install: done in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
