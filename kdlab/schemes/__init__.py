"""Training schemes: one readable loop each.

A scheme gets models, batches and an optimizer; it never builds data.
"""

from kdlab.schemes.assistant import Learnt, distill_paths
from kdlab.schemes.blocks import distill_blocks
from kdlab.schemes.checkpoint import Checkpoint, load_weights
from kdlab.schemes.codistillation import codistill
from kdlab.schemes.depth import distill_exits
from kdlab.schemes.evaluation import evaluate, predict, predict_moved
from kdlab.schemes.exchange import WorkerLost
from kdlab.schemes.exits import ExitNet, add_exits
from kdlab.schemes.generations import Generations, grow_generations, refine_labels
from kdlab.schemes.hints import distill_features, learn_hints
from kdlab.schemes.history import History
from kdlab.schemes.maps import record, tapped
from kdlab.schemes.mutual import learn_mutually
from kdlab.schemes.offline import distill
from kdlab.schemes.paths import all_paths
from kdlab.schemes.snapshot import distill_snapshots
from kdlab.schemes.supervised import train
from kdlab.schemes.workers import WorkerEnded, joined, run_workers

__all__ = [
    "Checkpoint",
    "ExitNet",
    "Generations",
    "History",
    "Learnt",
    "WorkerEnded",
    "WorkerLost",
    "add_exits",
    "all_paths",
    "codistill",
    "distill",
    "distill_blocks",
    "distill_exits",
    "distill_features",
    "distill_paths",
    "distill_snapshots",
    "evaluate",
    "grow_generations",
    "joined",
    "learn_hints",
    "learn_mutually",
    "load_weights",
    "predict",
    "predict_moved",
    "record",
    "refine_labels",
    "run_workers",
    "tapped",
    "train",
]
