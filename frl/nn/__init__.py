"""Modules over TensorDicts, and parameters as values."""

from frl.nn.actors import Actor as Actor
from frl.nn.actors import ActorCriticOperator as ActorCriticOperator
from frl.nn.actors import ActorValueOperator as ActorValueOperator
from frl.nn.actors import ProbabilisticActor as ProbabilisticActor
from frl.nn.actors import ValueOperator as ValueOperator
from frl.nn.convnet import ConvNet as ConvNet
from frl.nn.exploration_type import ExplorationType as ExplorationType
from frl.nn.exploration_type import exploration_type as exploration_type
from frl.nn.exploration_type import set_exploration_type as set_exploration_type
from frl.nn.extractor import NormalParamExtractor as NormalParamExtractor
from frl.nn.extractor import NormalParamWrapper as NormalParamWrapper
from frl.nn.extractor import biased_softplus as biased_softplus
from frl.nn.init import initialize as initialize
from frl.nn.init import orthogonal as orthogonal
from frl.nn.init import torch_default as torch_default
from frl.nn.lazy import materialize as materialize
from frl.nn.mlp import MLP as MLP
from frl.nn.modules import TensorDictModule as TensorDictModule
from frl.nn.params import from_module as from_module
from frl.nn.params import functional_call as functional_call
from frl.nn.probabilistic import ProbabilisticTensorDictModule as ProbabilisticTensorDictModule
from frl.nn.probabilistic import ProbabilisticTensorDictSequential as ProbabilisticTensorDictSequential
from frl.nn.sequential import TensorDictSequential as TensorDictSequential
from frl.nn.squash import SquashDims as SquashDims
from frl.nn.squash import Squeeze2dLayer as Squeeze2dLayer
