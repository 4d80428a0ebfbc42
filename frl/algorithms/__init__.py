"""Algorithms: bundles of pure functions that know specs, never an environment or a buffer."""

from frl.algorithms.actor_q import ActorQ as ActorQ
from frl.algorithms.actor_q import actor_q as actor_q
from frl.algorithms.actor_q import stochastic_actor_q as stochastic_actor_q
from frl.algorithms.base import Algorithm as Algorithm
from frl.algorithms.ddpg import DDPGConfig as DDPGConfig
from frl.algorithms.ddpg import ddpg as ddpg
from frl.algorithms.decision_transformer import DTConfig as DTConfig
from frl.algorithms.decision_transformer import decision_transformer as decision_transformer
from frl.algorithms.dqn import DQNConfig as DQNConfig
from frl.algorithms.dqn import dqn as dqn
from frl.algorithms.exploration import explored_by as explored_by
from frl.algorithms.networks import ActorCritic as ActorCritic
from frl.algorithms.networks import actor_critic as actor_critic
from frl.algorithms.ppo import PPOConfig as PPOConfig
from frl.algorithms.ppo import ppo as ppo
from frl.algorithms.q_network import QNetwork as QNetwork
from frl.algorithms.q_network import q_network as q_network
from frl.algorithms.recurrent_q_network import recurrent_q_network as recurrent_q_network
from frl.algorithms.redq import REDQConfig as REDQConfig
from frl.algorithms.redq import redq as redq
from frl.algorithms.sac import SACConfig as SACConfig
from frl.algorithms.sac import sac as sac
from frl.algorithms.td3 import TD3Config as TD3Config
from frl.algorithms.td3 import td3 as td3
