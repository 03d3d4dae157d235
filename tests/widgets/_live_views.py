"""What the tests of live views share: waiting, pressing, listening."""

import threading
import time

import torch

from kdlab.data import Dataset


def make_dataset() -> Dataset:
    """Return random images of 4 x 4 in three classes."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (96, 1, 4, 4), generator=generator).to(torch.uint8)
    targets = torch.arange(96) % 3
    parts = (images, targets, images[:30], targets[:30])
    return Dataset("noise", "made here", *parts, ("a", "b", "c"))


def until(condition, *, seconds: float = 20.0) -> None:
    """Wait until the condition holds; fail if it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.002)


def threads() -> int:
    """Count the training threads that are alive."""
    return sum(t.name == "kdlab-watch-training" for t in threading.enumerate())


def press(view, name: str) -> None:
    """Send what a button sends."""
    view._handle_custom_msg({"press": name}, [])


def listen(view) -> list[dict]:
    """Collect the messages to the browser from now on."""
    told = []
    view.send = lambda content, buffers=None: told.append(content)
    return told
