"""On what a unit was trained: versions and hardware."""

import contextlib
import platform
from importlib.metadata import version
from pathlib import Path

import torch

PACKAGES = ("torch", "torchvision", "numpy")


def circumstances(device: torch.device) -> dict:
    """Return "versions" by package and "hardware", as they stand in the results."""
    packages = {name: version(name).partition("+")[0] for name in PACKAGES}
    return {
        "versions": {"python": platform.python_version()} | packages,
        "hardware": hardware(device),
    }


def hardware(device: torch.device) -> str:
    """Name a device, and on a CPU the threads that work on one network."""
    if device.type == "cpu":
        threads = torch.get_num_threads()
        return f"{_processor()}, {threads} thread{'s' * (threads > 1)} a network"
    module = torch.get_device_module(device)
    named = module.get_device_name(device) if hasattr(module, "get_device_name") else ""
    return named or device.type


def _processor() -> str:
    """Name the processor as exactly as the system tells it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
