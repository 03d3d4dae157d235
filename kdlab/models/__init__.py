"""Small networks that expose their feature maps by name, and what they are made of."""

from kdlab.models.networks import Ensemble, FeatureNet, conv_net, mlp
from kdlab.models.parts import Dropout, constrain_max_norm, count_parameters, regressor

__all__ = [
    "Dropout",
    "Ensemble",
    "FeatureNet",
    "constrain_max_norm",
    "conv_net",
    "count_parameters",
    "mlp",
    "regressor",
]
