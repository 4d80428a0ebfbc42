"""Environments that break their word, each in one way: an honest CartPole whose results are tampered with."""

from collections.abc import Callable

import gymnasium
import torch
from gymnasium.vector import AutoresetMode, VectorEnv

from frl import TensorDict, random
from frl.envs import Env, FunctionalEnv
from frl.envs.base import promote
from frl.envs.classic import CartPole

KEY = random.key(0)


class Liar(Env):
    """CartPole [2] with a time limit of 9 steps; `reset(td, key)` and `step(td, key)` tamper with what it returns."""

    pure = True
    device = None

    def __init__(self, reset: Callable = lambda td, key: td, step: Callable = lambda td, key: td):
        self.honest = FunctionalEnv(CartPole(), [2], max_steps=9)
        self.batch_size, self.max_steps = self.honest.batch_size, self.honest.max_steps
        self.single_observation_spec = self.honest.single_observation_spec
        self.single_action_spec = self.honest.single_action_spec
        self.tampered_reset, self.tampered_step = reset, step
        self.memory, self.calls = None, 0

    def __repr__(self):
        return "Liar"

    def reset(self, key=None):
        return self.tampered_reset(self.honest.reset(key), key)

    def step(self, td, key=None):
        return self.tampered_step(self.honest.step(td, key), key)

    def split_key(self, key, num):
        return random.split(key, num)


def after(change):
    """A liar whose "next" is updated with `change(next)`."""
    return lambda: Liar(step=lambda td, key: td.set("next", td["next"].update(change(td["next"]))))


def late(change):
    """The same, but only from the fifth step of an episode on."""

    def select(td):
        return {name: torch.where((td["step_count"] > 5).expand_as(x), x, td[name]) for name, x in change(td).items()}

    return after(select)


def without(key):
    return lambda: Liar(step=lambda td, _: td.set("next", td["next"].exclude(key)))


def extra_key_at_reset():
    return Liar(reset=lambda td, key: td.set("bonus", torch.zeros(2, 1)))


def begins_done():
    return Liar(reset=lambda td, key: td.set("done", torch.ones_like(td["done"])))


def changes_its_input():
    def step(td, key):
        td["observation"].add_(1.0)
        return td

    return Liar(step=step)


def changes_the_root():
    return Liar(step=lambda td, key: td.set("observation", td["observation"] + 1))


def reuses_a_buffer():
    env = Liar()
    buffer = torch.zeros(2, 4)

    def step(td, key):
        buffer.copy_(td["next", "observation"])
        return td.set(("next", "observation"), buffer)

    env.tampered_step = step
    return env


def draws_from_the_global_generator():
    return after(lambda td: {"reward": td["reward"] + torch.rand(2, 1)})()


def wastes_the_global_generator():
    return after(lambda td: {"reward": td["reward"] + 0 * torch.rand(2, 1)})()


def remembers_its_calls():
    env = Liar()

    def step(td, key):
        env.calls += 1
        return td.set(("next", "reward"), td["next", "reward"] * env.calls)

    env.tampered_step = step
    return env


def ignores_the_key():
    env = Liar()
    env.reset = lambda key=None: env.honest.reset(KEY)
    return env


def begins_every_row_alike():
    def reset(td, key):
        same = td["state"][:1].expand(2, 4).clone()
        return td.update({"state": same, "observation": same.clone()})

    return Liar(reset=reset)


def mixes_its_rows():
    return after(lambda td: {"reward": td["reward"] + td["observation"].mean().reshape(1, 1)})()


def shows_the_next_episode():
    env = Liar()

    def step(td, key):
        fresh = env.honest.reset(random.fold_in(key, 9))
        seen = torch.where(td["next", "done"], fresh["observation"], td["next", "observation"])
        env.memory = fresh
        return td.set(("next", "observation"), seen)

    def step_and_reset(td, key=None):
        td = env.step(td, key)
        following = promote(td)
        rows = {name: torch.where(td["next", "done"], env.memory[name], following[name]) for name in sorted(env.memory)}
        return td, following.update(rows)

    env.tampered_step, env.step_and_reset = step, step_and_reset
    return env


def never_starts_afresh():
    env = Liar()

    def step_and_reset(td, key=None):
        td = env.step(td, key)
        return td, promote(td)

    env.step_and_reset = step_and_reset
    return env


def resets_what_is_not_done():
    env = Liar()

    def step_and_reset(td, key=None):
        td = env.step(td, key)
        following, fresh = promote(td), env.reset(key)
        early = following["step_count"] == 3
        return td, following.update({name: torch.where(early, fresh[name], following[name]) for name in fresh})

    env.step_and_reset = step_and_reset
    return env


def reads_values_while_traced():
    def step(td, key):
        return td if float(td["next", "reward"].sum()) >= 0 else td.exclude("state")

    return Liar(step=step)


def returns_a_dict():
    return Liar(reset=lambda td, key: dict(td))


def has_another_batch_size():
    return Liar(reset=lambda td, key: TensorDict(dict(td), []))


class GymLiar(gymnasium.Env):
    """Gymnasium's CartPole with a time limit of 9 steps; `tamper(observation, reward, terminated, truncated)`."""

    def __init__(self, tamper=lambda *result: result, begin=lambda observation: observation):
        self.honest, self.tamper, self.begin = gymnasium.make("CartPole-v1", max_episode_steps=9), tamper, begin
        self.observation_space, self.action_space = self.honest.observation_space, self.honest.action_space

    def reset(self, *, seed=None, options=None):
        return self.begin(self.honest.reset(seed=seed)[0]), {}

    def step(self, action):
        return *self.tamper(*self.honest.step(action)[:4]), {}


class Unseeded(GymLiar):
    """Draws its first observation from a generator of its own."""

    def reset(self, *, seed=None, options=None):
        return super().reset(seed=None)


class StaleVector(VectorEnv):
    """A vector that does not reset what it is told to."""

    def __init__(self):
        self.honest = gymnasium.make_vec(
            "CartPole-v1", 2, vectorization_mode="sync", vector_kwargs={"autoreset_mode": AutoresetMode.DISABLED}
        )
        self.num_envs, self.metadata, self.spec = 2, self.honest.metadata, None
        for name in ("single_observation_space", "single_action_space", "observation_space", "action_space"):
            setattr(self, name, getattr(self.honest, name))

    def reset(self, *, seed=None, options=None):
        self.last, info = self.honest.reset(seed=seed, options=None)
        return self.last, info

    def step(self, actions):
        return self.honest.step(actions)
