"""Two clouds of points, and how far random features see them apart."""

import math
from collections.abc import Sequence

import torch
import traitlets
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from kdlab._checks import check_count
from kdlab.condense import class_embedding_distance, mean_embedding_distance
from kdlab.widgets import _cloud_still
from kdlab.widgets import _stills as stills
from kdlab.widgets._clouds import CLASSES, draw_cloud, read_cloud
from kdlab.widgets._draws import normals
from kdlab.widgets._traits import Index, Number, Numbers, Points
from kdlab.widgets._view import STATIC
from kdlab.widgets.page import PageView

#: What is done to W x + b.
FEATURES = {"linear": lambda values: values, "relu": torch.relu}
MOST_NETWORKS, MOST_UNITS = 8, 16
STRETCHES = (0.1, 10.0)


class MmdView(PageView, module="explore_mmd", uses=("points", "tables", "draws", "mmd", "clouds")):
    """What `explore_mmd` returns.

    Features go by name: "linear" is $(Wx + b)/\\sqrt{D}$, "relu" $\\max(0, Wx + b)/\\sqrt{D}$,
    with D units a network.

    Attributes:
        synthetic: The synthetic points before they are stretched, turned and moved.
        shift: Their mean less the real one, [x, y].
        stretch: Factor along their first axis, about their mean, 0.1 to 10.
        turn: Angle about their mean after that, in degrees, -180 to 180.
        swapped: True swaps the two classes of the synthetic points.
        seed: Of the random networks.
    """

    title = "Mean embeddings of two clouds"
    shown = ("shift", "stretch", "turn", "swapped", "seed")
    _css = PageView._css + (STATIC / "explore_mmd.css").read_text("utf-8")

    synthetic = Points(lambda view: len(view.own_targets)).tag(sync=True)
    shift = Numbers(lambda view: 2).tag(sync=True)
    stretch = Number(*STRETCHES, 1.0).tag(sync=True)
    turn = Number(-180.0, 180.0, 0.0).tag(sync=True)
    swapped = traitlets.Bool(False).tag(sync=True)
    seed = Index(lambda view: 2**31).tag(sync=True)
    _real = traitlets.List().tag(sync=True)
    _targets = traitlets.List().tag(sync=True)
    _own_targets = traitlets.List().tag(sync=True)
    _networks = traitlets.Int().tag(sync=True)
    _units = traitlets.Int().tag(sync=True)

    def __init__(self, real, targets, own_targets, networks, units, **traits) -> None:
        self.real, self.targets, self.own_targets = real, targets, own_targets
        labels = {"_targets": targets.tolist(), "_own_targets": own_targets.tolist()}
        size = {"_networks": networks, "_units": units}
        super().__init__(_real=real.tolist(), **labels, **size, **traits)

    @property
    def networks(self) -> Float64[Tensor, "networks units 3"]:
        """Both weights and the bias of each unit, standard normal."""
        count = self._networks * self._units * 3
        drawn = torch.tensor(normals(self.seed, count), dtype=torch.double)
        return drawn.view(self._networks, self._units, 3)

    @property
    def placed(self) -> Float64[Tensor, "points 2"]:
        """The synthetic points where they are seen."""
        points, angle = self._double(self.synthetic), math.radians(self.turn)
        centred = (points - points.mean(0)) * self._double([self.stretch, 1.0])
        cosine, sine = math.cos(angle), math.sin(angle)
        turned = centred @ self._double([[cosine, sine], [-sine, cosine]])
        return turned + self.real.mean(0) + self._double(self.shift)

    @property
    def labels(self) -> Int64[Tensor, "points"]:
        """The classes of the synthetic points, swapped or not."""
        return 1 - self.own_targets if self.swapped else self.own_targets

    def embed(
        self, points: Float64[Tensor, "points 2"], features: str
    ) -> Float64[Tensor, "networks points units"]:
        """Embed points by every network; `features` is "linear" or "relu"."""
        weights, bias = self.networks[..., :2], self.networks[..., 2]
        values = points @ weights.transpose(1, 2) + bias[:, None]
        return FEATURES[features](values) / math.sqrt(self._units)

    def _sides(self, features: str) -> zip:
        return zip(self.embed(self.real, features), self.embed(self.placed, features), strict=True)

    @property
    def distances(self) -> dict[str, Float64[Tensor, "networks"]]:
        """`mean_embedding_distance` under each network, by features: blind to classes."""
        return {
            name: torch.stack([mean_embedding_distance(*sides) for sides in self._sides(name)])
            for name in FEATURES
        }

    @property
    def class_distances(self) -> dict[str, Float64[Tensor, "networks"]]:
        """`class_embedding_distance` under each network, by features: class by class."""
        return {name: self._by_class(name) for name in FEATURES}

    def _by_class(self, features: str) -> Tensor:
        targets, labels = self.targets, self.labels
        return torch.stack(
            [
                class_embedding_distance(real, targets, own, labels, classes=CLASSES)
                for real, own in self._sides(features)
            ]
        )

    @property
    def pair_means(self) -> dict[str, tuple[float, float, float]]:
        r"""Means of the kernel $\psi(x)^\top\psi(x')$ over networks and pairs, by features.

        Over real pairs, synthetic pairs and mixed ones; MMD^2 is the first two less twice the
        third.
        """
        return {name: self._pairs(name) for name in FEATURES}

    def _pairs(self, features: str) -> tuple[float, float, float]:
        real, own = self.embed(self.real, features), self.embed(self.placed, features)
        pairs = ((real, real), (own, own), (real, own))
        return tuple((one @ other.transpose(1, 2)).mean().item() for one, other in pairs)

    @staticmethod
    def _double(values) -> Tensor:
        return torch.tensor(values, dtype=torch.double)

    def summary(self) -> str:
        """Say how the synthetic cloud lies, and what linear and ReLU features see of it."""
        x, y = self.shift
        blind, wise = self.distances, self.class_distances
        seen = "; ".join(
            f"{told} features see {blind[name].mean():.4f}, class by class {wise[name].mean():.4f}"
            for name, told in (("linear", "linear"), ("relu", "ReLU"))
        )
        return (
            f"Means ({x:.2f}, {y:.2f}) apart, stretched {self.stretch:g} times, turned by "
            f"{self.turn:g} degrees{', labels swapped' if self.swapped else ''}: {seen}"
        )

    def still(self) -> str:
        """Draw both clouds and the distances."""
        # Too long for one line.
        told = self.summary().replace(": ", "; ").split("; ")
        body = "".join(stills.words(10, 20 + 16 * i, part) for i, part in enumerate(told))
        clouds = [(self.real.tolist(), self.targets.tolist())]
        clouds.append((self.placed.tolist(), self.labels.tolist()))
        body += _cloud_still.draw(*clouds, self.distances, self.class_distances)
        size = {"width": _cloud_still.WIDTH, "height": _cloud_still.HEIGHT}
        return stills.picture(body, **size, title=self.title, description=self.summary())


def explore_mmd(
    *,
    real: Float[Tensor, "real 2"] | None = None,
    targets: Int64[Tensor, "real"] | None = None,
    synthetic: Float[Tensor, "synthetic 2"] | None = None,
    synthetic_targets: Int64[Tensor, "synthetic"] | None = None,
    shift: Sequence[float] = (0.0, 0.0),
    stretch: float = 2.5,
    turn: float = 0.0,
    swapped: bool = False,
    networks: int = 5,
    units: int = 8,
    seed: int = 0,
) -> MmdView:
    r"""Move, stretch and turn a synthetic cloud; see what random features tell of it.

    Shown is $\|\frac1N\sum_i\psi(x_i) - \frac1M\sum_j\psi(s_j)\|^2$ under several random
    networks, with linear and with ReLU features, over all points and class by class, and
    beside it MMD^2 by its definition, from all pairs. Linear features see the means alone: a
    stretched or turned cloud of equal mean is the real one to them. Without classes, swapped
    labels are seen by neither. Everything is computed in the browser.

    Args:
        real: 2 to 40 points, each number at most 100 away from 0; None draws 24 of two classes.
        targets: The class of each, 0 or 1; both must be there.
        synthetic: The synthetic points before they are moved; None takes the real ones.
        synthetic_targets: Their classes.
        shift: Synthetic mean less real mean at the start.
        stretch: Factor along the synthetic points' first axis at the start, 0.1 to 10.
        turn: Angle after that, in degrees, -180 to 180.
        swapped: True swaps the synthetic points' classes at the start.
        networks: How many random networks there are, 1 to 8.
        units: Features a network, 1 to 16.
        seed: Of the networks; the button "New networks" counts it up.

    Returns:
        The view. `save_html(path)` writes it as a page that works without Python.

    Raises:
        ValueError: Points come without their classes or the other way round, or an argument is
            of another type, shape or range.

    References:
        Gretton et al. 2012, JMLR 13; Zhao and Bilen 2023, arXiv:2110.04181.
    """
    check_count(networks=networks, units=units)
    _check_most(networks=(networks, MOST_NETWORKS), units=(units, MOST_UNITS))
    real, targets = read_cloud(real=real, targets=targets) or draw_cloud()
    own = read_cloud(synthetic=synthetic, synthetic_targets=synthetic_targets)
    synthetic, own_targets = own or (real, targets)
    moved = {"shift": shift, "stretch": stretch, "turn": turn, "swapped": swapped}
    sides = (real, targets, own_targets, networks, units)
    return MmdView(*sides, synthetic=synthetic.tolist(), seed=seed, **moved)


def _check_most(**named: tuple[int, int]) -> None:
    for name, (count, most) in named.items():
        if count > most:
            raise ValueError(f"{name} must be <= {most}, got {count}")
