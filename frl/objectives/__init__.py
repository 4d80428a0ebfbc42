"""Losses as frozen configurations: `loss(params, batch, key=None) -> TensorDict` of named losses and metrics.

>>> import torch
>>> from frl.nn import TensorDictModule
>>> loss = DQNLoss(TensorDictModule(torch.nn.Linear(4, 2), ["observation"], ["action_value"]), "one_hot")
>>> params = SoftUpdate(eps=0.95)(loss.init())
"""

from frl.objectives.a2c import A2CLoss as A2CLoss
from frl.objectives.ddpg import DDPGLoss as DDPGLoss
from frl.objectives.decision_transformer import DTLoss as DTLoss
from frl.objectives.discrete_sac import DiscreteSACLoss as DiscreteSACLoss
from frl.objectives.dqn import DQNLoss as DQNLoss
from frl.objectives.dqn import square as square
from frl.objectives.dynamics import DynamicsLoss as DynamicsLoss
from frl.objectives.ppo import ClipPPOLoss as ClipPPOLoss
from frl.objectives.ppo import KLPENPPOLoss as KLPENPPOLoss
from frl.objectives.redq import REDQLoss as REDQLoss
from frl.objectives.reinforce import ReinforceLoss as ReinforceLoss
from frl.objectives.sac import SACLoss as SACLoss
from frl.objectives.targets import HardUpdate as HardUpdate
from frl.objectives.targets import SoftUpdate as SoftUpdate
from frl.objectives.targets import follow as follow
from frl.objectives.td3 import TD3Loss as TD3Loss
from frl.objectives.value_estimators import ValueEstimator as ValueEstimator
from frl.objectives.value_estimators import ValueEstimators as ValueEstimators
from frl.objectives.value_estimators import td0 as td0
from frl.objectives.value_estimators import td_lambda as td_lambda
from frl.objectives.value_estimators import value_estimator as value_estimator
