"""Paths of teacher assistants: choose sizes, and the path's result stands beside all others."""

from collections.abc import Mapping, Sequence

import traitlets

from kdlab.schemes.paths import Path, prefixes
from kdlab.widgets import _path_still
from kdlab.widgets import _stills as stills
from kdlab.widgets._path_words import tell
from kdlab.widgets._paths import (
    PathResult,
    check_results,
    checked_errors,
    compare,
    mean_of,
    sizes_of,
)
from kdlab.widgets._view import STATIC
from kdlab.widgets.page import PageView


class Way(traitlets.TraitType):
    """Sizes from the view's teacher down to its student."""

    def validate(self, view, value) -> Path:
        """Return the path as a tuple; raise ValueError for sizes that are none."""
        sizes = view.sizes
        path = tuple(value) if isinstance(value, (tuple, list)) else ()
        falls = [size for size in sizes if size in path] == [*path]
        if not falls or path[:1] + path[-1:] != (sizes[0], sizes[-1]):
            wanted = f"sizes of {[*sizes]} that fall, from {sizes[0]} to {sizes[-1]}"
            raise ValueError(f"{self.name} must be {wanted}, got {value!r}")
        return tuple(map(int, path))


class PathsView(PageView, module="explore_paths", uses=("paths",)):
    """What `explore_paths` returns.

    Attributes:
        path: The chosen path, a tuple of sizes; it need not have been measured.
        results: What each measured path comes to, those with fewer errors first.
        sizes: All sizes, the teacher's first.
        seeds: Over how many seeds each path was measured.
        examples: On how many test examples errors were counted.
        networks: How many all measured paths train together, each beginning once.
    """

    title = "Paths of teacher assistants"
    shown = ("path",)
    _css = PageView._css + (STATIC / "explore_paths.css").read_text("utf-8")

    path = Way().tag(sync=True)
    _results = traitlets.List().tag(sync=True)
    _alone = traitlets.List().tag(sync=True)
    _examples = traitlets.Int().tag(sync=True)

    def __init__(
        self,
        errors: Mapping[Path, tuple[float, ...]],
        alone: Mapping[int, tuple[float, ...]],
        *,
        examples: int,
        path: Path,
    ) -> None:
        self.errors, self.alone, self.examples = errors, alone, examples
        self.sizes, self.results = sizes_of(errors), compare(errors)
        self.networks = len(prefixes(errors))
        self.seeds = len(next(iter(errors.values())))
        super().__init__(
            path=path,
            _results=[{"path": [*way], "errors": [*some]} for way, some in errors.items()],
            _alone=[
                {"size": size, "errors": [*alone[size]]} for size in self.sizes if size in alone
            ],
            _examples=examples,
        )

    @property
    def result(self) -> PathResult | None:
        """What the chosen path comes to; None where it was not measured."""
        return self.results.get(self.path)

    def summary(self) -> str:
        """Say what the chosen path comes to, and from which others it is not told apart."""
        return tell(self.path, self.results, examples=self.examples, seeds=self.seeds)

    def still(self) -> str:
        """Draw all paths with their errors, the chosen one marked."""
        alone = {size: mean_of(errors) for size, errors in self.alone.items()}
        body = _path_still.draw(self.sizes, self.errors, self.results, self.path, alone)
        size = {"width": _path_still.WIDTH, "height": _path_still.height(len(self.results))}
        return stills.picture(body, **size, title=self.title, description=self.summary())


def explore_paths(
    results: Mapping[Path, Sequence[float]],
    *,
    examples: int,
    labels_only: Mapping[int, Sequence[float]] | None = None,
    path: Path | None = None,
) -> PathsView:
    """Choose assistants between a teacher and a student; see what the path comes to.

    All paths stand below each other, those with fewer errors first: which sizes they go over,
    each seed's errors, mean and standard deviation. The chosen one is compared with the direct
    path seed by seed. Two paths count as told apart where the mean difference is at least 2
    standard errors; of few seeds that is a rough rule, and with 28 pairs of 8 paths one or two
    pass it by chance. Everything is computed in the browser.

    Args:
        results: Test errors of each path's student, one number a seed in the same order of seeds,
            by paths, for example ``{(10, 2): [61, 58], (10, 6, 2): [55, 57]}``; see
            `schemes.all_paths`. The direct path must be there, others may be missing; 2 to 5
            sizes.
        examples: How many test examples errors are counted on.
        labels_only: Errors of networks trained alone, by size, over seeds; they need not be as
            many.
        path: What is chosen at the start; None is the direct path.

    Returns:
        The view. `save_html(path)` writes it as a page that works without Python.

    Raises:
        ValueError: A path or an error is none, paths have other ends or numbers of seeds, the
            direct one is missing, or there are too many sizes.

    References:
        Mirzadeh et al. 2020, arXiv:1902.03393, which draws all distillation paths between
        networks of 10 and of 2 layers.
    """
    errors = check_results(results, examples)
    alone = _checked_alone(labels_only or {}, sizes_of(errors), examples)
    direct = min(errors, key=len)
    return PathsView(errors, alone, examples=examples, path=direct if path is None else path)


def _checked_alone(
    labels_only: Mapping[int, Sequence[float]], sizes: Sequence[int], examples: int
) -> dict[int, tuple[float, ...]]:
    if not isinstance(labels_only, Mapping):
        raise ValueError(f"labels_only must map sizes to lists of errors, got {labels_only!r}")
    for size in labels_only:
        if size not in sizes:
            raise ValueError(f"labels_only must be keyed by sizes of {[*sizes]}, got {size!r}")
    return {
        size: checked_errors(f"labels_only[{size}]", errors, examples)
        for size, errors in labels_only.items()
    }
