"""Sliders that answer at once: views and controls over pure functions.

Importing this room imports anywidget.
"""

from kdlab.widgets.draw_digit import draw_digit
from kdlab.widgets.explore_attention import explore_attention
from kdlab.widgets.explore_dark_knowledge import explore_dark_knowledge
from kdlab.widgets.explore_loss import explore_loss
from kdlab.widgets.explore_mmd import explore_mmd
from kdlab.widgets.explore_normalization import explore_normalization
from kdlab.widgets.explore_paths import explore_paths
from kdlab.widgets.explore_privileged_regression import explore_privileged_regression
from kdlab.widgets.explore_relations import explore_relations
from kdlab.widgets.explore_simplex import explore_simplex
from kdlab.widgets.explore_temperature import explore_temperature
from kdlab.widgets.progress import show_progress
from kdlab.widgets.watch_activations import watch_activations
from kdlab.widgets.watch_condensation import watch_condensation
from kdlab.widgets.watch_learners import watch_learners
from kdlab.widgets.watch_training import watch_training

__all__ = [
    "draw_digit",
    "explore_attention",
    "explore_dark_knowledge",
    "explore_loss",
    "explore_mmd",
    "explore_normalization",
    "explore_paths",
    "explore_privileged_regression",
    "explore_relations",
    "explore_simplex",
    "explore_temperature",
    "show_progress",
    "watch_activations",
    "watch_condensation",
    "watch_learners",
    "watch_training",
]
