"""Huge pages: memory keeps its content, and a fork has less to copy."""

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")

# In a process of its own: that of the tests is large, and others share it.
_TRIED = """
import hashlib, random, re
from pathlib import Path
from kdlab.grading.sandbox import pages

def huge():
    told = Path("/proc/self/smaps_rollup").read_text()
    return int(re.search(r"AnonHugePages: *([0-9]+) kB", told)[1])

# Small pieces, so that they lie on the heap in small pages.
pieces = [random.randbytes(1000) for _ in range(32_000)]
def digest():
    return hashlib.sha256(b"".join(pieces)).hexdigest()

before, kilobytes = digest(), huge()
pages.collapse()
print(before == digest(), huge() - kilobytes)
"""


def collapsed() -> tuple[str, int]:
    done = subprocess.run([sys.executable, "-c", _TRIED], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    same, kilobytes = done.stdout.split()
    return same, int(kilobytes)


def test_the_content_stays_as_it_is():
    assert collapsed()[0] == "True"


def test_small_pages_become_huge_ones():
    kernel = [int(number) for number in re.findall(r"[0-9]+", platform.release())[:2]]
    if kernel < [6, 1] or not Path("/sys/kernel/mm/transparent_hugepage").is_dir():
        pytest.skip(f"Linux {platform.release()} can't gather pages on demand; 6.1 can")
    assert collapsed()[1] > 2**14
