"""The classic control problems as pure torch functions."""

from frl.envs.classic.acrobot import Acrobot as Acrobot
from frl.envs.classic.acrobot import AcrobotParams as AcrobotParams
from frl.envs.classic.cartpole import CartPole as CartPole
from frl.envs.classic.cartpole import CartPoleParams as CartPoleParams
from frl.envs.classic.mountain_car import MountainCar as MountainCar
from frl.envs.classic.mountain_car import MountainCarContinuous as MountainCarContinuous
from frl.envs.classic.mountain_car import MountainCarParams as MountainCarParams
from frl.envs.classic.pendulum import Pendulum as Pendulum
from frl.envs.classic.pendulum import PendulumParams as PendulumParams
from frl.envs.classic.position_only_cartpole import PositionOnlyCartPole as PositionOnlyCartPole
