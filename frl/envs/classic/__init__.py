"""The classic control problems as pure torch functions."""

from frl.envs.classic.cartpole import CartPole as CartPole
from frl.envs.classic.cartpole import CartPoleParams as CartPoleParams
from frl.envs.classic.pendulum import Pendulum as Pendulum
from frl.envs.classic.pendulum import PendulumParams as PendulumParams
