"""Bandits for meta-learning as pure torch functions: each episode is another task."""

from frl.envs.bandits.bandit import Bandit as Bandit
from frl.envs.bandits.bandit import BanditState as BanditState
from frl.envs.bandits.bernoulli import BernoulliBandit as BernoulliBandit
from frl.envs.bandits.bernoulli import BernoulliBanditParams as BernoulliBanditParams
from frl.envs.bandits.gaussian import GaussianBandit as GaussianBandit
from frl.envs.bandits.gaussian import GaussianBanditParams as GaussianBanditParams
