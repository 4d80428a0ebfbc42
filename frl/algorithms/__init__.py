"""Algorithms: bundles of pure functions that know specs, never an environment or a buffer."""

from frl.algorithms.base import Algorithm as Algorithm
from frl.algorithms.networks import ActorCritic as ActorCritic
from frl.algorithms.networks import actor_critic as actor_critic
from frl.algorithms.ppo import PPOConfig as PPOConfig
from frl.algorithms.ppo import ppo as ppo
