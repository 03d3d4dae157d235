"""A child that waits is ended early, one that works on a busy machine is not."""

import os
import sys
import time
from types import SimpleNamespace

import pytest

from kdlab.grading.sandbox import patience
from kdlab.grading.sandbox.patience import Patience

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="children's clocks are Linux's")


@pytest.fixture
def clocks(monkeypatch):
    """Return clocks that stand where they are set: the wall's, and the child's CPU."""
    held = SimpleNamespace(wall=100.0, cpu=0.0)
    faked = SimpleNamespace(monotonic=lambda: held.wall, clock_gettime=lambda _: held.cpu)
    monkeypatch.setattr(patience, "time", faked)
    return held


def looks(clocks, given: Patience, share: float, until: float) -> float:
    """Look ten times a second, while the child gets a share of its CPU; return when it is over."""
    while not given.is_over() and clocks.wall < until:
        clocks.wall += 0.1
        clocks.cpu += 0.1 * share
    return clocks.wall


def test_one_that_waits_is_over_after_its_seconds(clocks):
    assert looks(clocks, Patience(1, 5.0), 0.0, 200.0) == pytest.approx(105.1)


def test_one_that_works_a_little_gets_four_times_as_long(clocks):
    assert looks(clocks, Patience(1, 5.0), 0.01, 200.0) == pytest.approx(120.1)


def test_one_that_has_stopped_working_is_over_a_second_later(clocks):
    given = Patience(1, 5.0)
    looks(clocks, given, 0.5, 108.0)
    assert looks(clocks, given, 0.0, 200.0) == pytest.approx(109.1, abs=0.11)


def test_one_that_has_ended_has_no_clock(clocks, monkeypatch):
    def gone(_):
        raise OSError("no such process")

    monkeypatch.setattr(patience.time, "clock_gettime", gone)
    assert looks(clocks, Patience(1, 5.0), 1.0, 200.0) == pytest.approx(105.1)


def test_the_clock_is_the_process_s_cpu():
    before = time.process_time()
    used = time.clock_gettime(Patience(os.getpid(), 1.0)._clock)
    assert before <= used <= time.process_time()
