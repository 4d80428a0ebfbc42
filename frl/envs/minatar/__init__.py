"""Games of MinAtar as pure torch functions."""

from frl.envs.minatar.breakout import Breakout as Breakout
from frl.envs.minatar.breakout import BreakoutParams as BreakoutParams
