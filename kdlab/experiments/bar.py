"""One bar over a whole run, in shares of its work, with the time that is left."""

from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from kdlab.experiments import cost
from kdlab.experiments.spec import Experiment
from kdlab.experiments.store import Store
from kdlab.experiments.trials import Trial
from kdlab.experiments.units import Unit


class Bar:
    """Shows how far a run is; what has ended before it began does not count.

    Args:
        experiment: What is run.
        runs: The folder of all runs.
        seeds: Which seeds.
        file: Where it is drawn.
    """

    def __init__(self, experiment: Experiment, runs: Path, seeds: Iterable[int], *, file) -> None:
        pairs = [(unit, seed) for seed in seeds for unit in experiment.units]
        left = [(u, seed) for u, seed in pairs if not Store(runs, experiment, u, seed).ended()]
        self._work = {(u.name, seed): cost.seconds(experiment, u) for u, seed in left}
        self._done: dict[tuple[str, int], float] = {}
        total = sum(self._work.values())
        # Shares of the work, not steps: a step of one network is a hundred of another's.
        form = "{percentage:3.0f}%|{bar:20}| {elapsed}, {remaining} left{postfix}"
        self._bar = tqdm(total=total or 1.0, file=file, bar_format=form)

    def watch(self, unit: Unit | Trial, seed: int, done: int, steps: int) -> None:
        """Note a step of a unit."""
        if (pair := (unit.name, seed)) not in self._work:
            return
        self._done[pair] = self._work[pair] * done / steps
        said = f"{unit.name}, seed {seed}, {unit.stage(done, steps)}"
        self._bar.set_postfix_str(said, refresh=False)
        # Sums of floats may pass the total by their last bit.
        self._bar.n = min(sum(self._done.values()), self._bar.total)
        self._bar.update(0)

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
