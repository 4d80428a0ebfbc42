"""Environments: what an environment is, those written in torch, and Gymnasium's."""

from frl.envs.base import Env as Env
from frl.envs.base import Policy as Policy
from frl.envs.base import step_mdp as step_mdp
from frl.envs.check import check_env as check_env
from frl.envs.creator import EnvCreator as EnvCreator
from frl.envs.functional import FunctionalEnv as FunctionalEnv
from frl.envs.gym import GymEnv as GymEnv
from frl.envs.gym import GymWrapper as GymWrapper
from frl.envs.multi_task import MultiTaskEnv as MultiTaskEnv
from frl.envs.parallel import ParallelEnv as ParallelEnv
from frl.envs.randomized import RandomizedEnv as RandomizedEnv
from frl.envs.registry import ids as ids
from frl.envs.registry import make as make
from frl.envs.serial import SerialEnv as SerialEnv
from frl.envs.task_family import stack_tasks as stack_tasks
from frl.envs.task_family import uniform_tasks as uniform_tasks
from frl.envs.worker_errors import WorkerDied as WorkerDied
from frl.envs.worker_errors import WorkerError as WorkerError
from frl.envs.worker_errors import WorkerRaised as WorkerRaised
from frl.envs.worker_errors import WorkerTimeout as WorkerTimeout
