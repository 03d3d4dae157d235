"""Memory that is kept is not asked for again."""

import subprocess
import sys

import pytest

from kdlab.experiments import memory

# In a process of its own, whose pages are counted by the system.
COUNTED = """
import resource, sys, torch
from kdlab.experiments.memory import keep_memory
if "keep" in sys.argv:
    assert keep_memory()
def step():
    return torch.ones(2**22) + 1
for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages(*arguments: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", COUNTED, *arguments], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="it is glibc that is asked")
def test_pages_of_a_freed_tensor_are_used_again():
    assert pages("keep") * 10 < pages()


def test_where_it_cannot_be_asked_it_says_so(monkeypatch):
    monkeypatch.setattr(memory.sys, "platform", "win32")
    assert memory.keep_memory() is False
