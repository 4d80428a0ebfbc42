"""Functions of a module that make environments with a fault, as a worker process can find them."""

import faulthandler
import os
import signal
import time
from functools import partial

import gymnasium
import numpy as np
import torch

from frl.envs import Env, FunctionalEnv, GymEnv, GymWrapper, SerialEnv
from frl.envs.classic import CartPole
from tests.envs.liars import GymLiar

FAULTS = {
    "raise": lambda: raising(),
    "exit": lambda: os._exit(3),
    "leave": lambda: exit(4),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "crash": lambda: (faulthandler.disable(), os.kill(os.getpid(), signal.SIGSEGV)),
    "stop": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "hang": lambda: time.sleep(3600),
}


def raising():
    raise LookupError("planted")


class Faulty(gymnasium.Env):
    """Does `how` at `where`, "construct", "reset" or "step"; its first reset, at construction, is honest."""

    observation_space = gymnasium.spaces.Box(-1, 1, (3,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, how, where):
        self.how, self.where, self.resets = how, where, 0
        self.reach("construct")

    def reach(self, where):
        if where == self.where:
            FAULTS[self.how]()

    def reset(self, *, seed=None, options=None):
        self.resets += 1
        if self.resets > 1:
            self.reach("reset")
        return np.zeros(3, np.float32), {}

    def step(self, action):
        self.reach("step")
        return np.zeros(3, np.float32), 1.0, False, False, {}


def faulty(how, where):
    return GymWrapper(Faulty(how, where))


def honest():
    return faulty("none", "nowhere")


def cartpole():
    return GymEnv("CartPole-v1")


def pendulum():
    return GymEnv("Pendulum-v1")


def no_environment():
    return 3


def pure_cartpole():
    return FunctionalEnv(CartPole(), max_steps=7)


def pure_cartpoles():
    return FunctionalEnv(CartPole(), [2], max_steps=7)


def short_cartpoles():
    return GymWrapper(gymnasium.vector.SyncVectorEnv([GymLiar] * 2, autoreset_mode="Disabled"))


def serial_cartpoles():
    return SerialEnv(2, cartpole)


class Nested(gymnasium.Env):
    """Observes a Dict in a Dict, and ends every third step."""

    action_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
    observation_space = gymnasium.spaces.Dict(
        {
            "eye": gymnasium.spaces.Dict({"left": gymnasium.spaces.Box(-9, 9, (2,), np.float32)}),
            "mood": gymnasium.spaces.Discrete(9),
        }
    )

    def seen(self):
        return {"eye": {"left": self.np_random.normal(size=2).clip(-9, 9).astype(np.float32)}, "mood": self.count}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count = 0
        return self.seen(), {}

    def step(self, action):
        self.count += 1
        return self.seen(), float(action.sum()), self.count == 3, False, {}


def nested():
    return GymWrapper(Nested())


class Tampered(Env):
    """A CartPole whose "next" is changed."""

    keyed_steps = False
    pure = False

    def __init__(self, change):
        self.honest, self.change = cartpole(), change
        for name in (
            "batch_size",
            "device",
            "max_steps",
            "state_keys",
            "single_observation_spec",
            "single_action_spec",
        ):
            setattr(self, name, getattr(self.honest, name))

    def reset(self, key=None):
        return self.honest.reset(key)

    def step(self, td, key=None):
        td = self.honest.step(td, key)
        return td.set("next", self.change(td["next"]))

    def step_and_reset(self, td, key=None):
        td, following = self.honest.step_and_reset(td, key)
        return td.set("next", self.change(td["next"])), following

    def split_key(self, key, num):
        return self.honest.split_key(key, num)


def double(td):
    return td.set("observation", td["observation"].double())


def shorter(td):
    return td.set("observation", td["observation"][:3])


def unobserved(td):
    return td.exclude("observation")


def extended(td):
    return td.set("bonus", torch.zeros(1))


LIARS = {
    "another dtype": (double, "'observation' as torch.float64 [4] but must return torch.float32 [4]"),
    "another shape": (shorter, "'observation' as torch.float32 [3] but must return torch.float32 [4]"),
    "a missing key": (unobserved, "no 'observation', only"),
    "a further key": (extended, "'bonus', which its first reset had not"),
}


def liar(name):
    return Tampered(LIARS[name][0])


ALIKE = {
    "Gymnasium's": cartpole,
    "Gymnasium's, a vector": short_cartpoles,
    "Gymnasium's, of nested observations": nested,
    "Gymnasium's, of real actions": pendulum,
    "a pure one": pure_cartpole,
    "a batch of pure ones": pure_cartpoles,
    "serial ones": serial_cartpoles,
    "pixels": partial(GymEnv, "CartPole-v1", from_pixels=True, pixels_only=False, frame_skip=2),
}
