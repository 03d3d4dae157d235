"""Co-distillation by several processes, on MNIST or digits: under `torchrun`, or from Python.

    torchrun --nproc-per-node 2 -m kdlab.experiments.codistillation --every 50 --folder runs
    codistillation.start(Settings(every=50, folder="runs"), workers=2)

`work` is what each worker does; `schemes.run_workers` can start it, too, and `work_each` for
several runs.
"""

from kdlab.experiments.codistillation.settings import SHARES, WHAT, Settings
from kdlab.experiments.codistillation.working import start, work, work_each

__all__ = ["SHARES", "WHAT", "Settings", "start", "work", "work_each"]
