"""Small networks that expose their feature maps by name, and what they are made of."""

from kdlab.models.embedding import embedding_net
from kdlab.models.networks import Ensemble, FeatureNet, conv_net, mlp
from kdlab.models.parts import Dropout, constrain_max_norm, count_parameters, regressor
from kdlab.models.texts import BiLstm, bi_lstm

__all__ = [
    "BiLstm",
    "Dropout",
    "Ensemble",
    "FeatureNet",
    "bi_lstm",
    "constrain_max_norm",
    "conv_net",
    "count_parameters",
    "embedding_net",
    "mlp",
    "regressor",
]
