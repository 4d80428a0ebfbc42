"""Policies and environments of a module, as a worker process can find them."""

from functools import partial

import torch
from torch import nn

from frl import envs, random
from frl.distributions import Normal
from frl.nn import ProbabilisticTensorDictModule, ProbabilisticTensorDictSequential, TensorDictModule
from frl.specs import Unbounded
from frl.transforms import InitTracker, TensorDictPrimer, TransformedEnv
from tests.envs import faulty


def linear(out: int = 1) -> nn.Linear:
    net = nn.Linear(3, out, device="meta").to_empty(device="cpu")
    with torch.no_grad():
        for x in net.parameters():
            x.copy_(torch.linspace(-0.5, 0.7, x.numel()).reshape(x.shape))
    return net


def actor() -> TensorDictModule:
    """Of a pendulum."""
    return TensorDictModule(linear(), ["observation"], ["action"])


def constant() -> TensorDictModule:
    """Its action is its only weight, whatever it sees."""
    net = linear()
    with torch.no_grad():
        net.weight.zero_(), net.bias.fill_(0.5)
    return TensorDictModule(net, ["observation"], ["action"])


def location_and_scale(x):
    return x[..., :1].tanh(), x[..., 1:].sigmoid()


def gaussian() -> ProbabilisticTensorDictSequential:
    """Of a pendulum, drawn."""
    net = TensorDictModule(linear(2), ["observation"], ["both"])
    split = TensorDictModule(location_and_scale, ["both"], ["loc", "scale"])
    draw = ProbabilisticTensorDictModule(["loc", "scale"], ["action"], Normal, return_log_prob=True)
    return ProbabilisticTensorDictSequential(net, split, draw)


def act_at_random(td, key):
    """An action in [-1, 1), of each row's own key."""
    return td.set("action", random.uniform(1, key, low=-1.0, high=1.0))


def grows(td):
    """A carry at the root, one more of it under "next"."""
    hidden = td["hidden"] + 1
    return td.set("action", torch.zeros(*td.batch_size, 1)).set(("next", "hidden"), hidden)


def recurrent_env():
    env = TransformedEnv(faulty.pendulum(), TensorDictPrimer({"hidden": Unbounded(2)}))
    return env.append_transform(InitTracker())


def carts(n):
    return envs.GymEnv("CartPole-v1", num_envs=n)


def serial_carts(n):
    return envs.SerialEnv(n, faulty.cartpole)


def pure_carts(n):
    return envs.make("CartPole-v1", n)


def pendulums(n):
    return envs.SerialEnv(n, faulty.pendulum)


SPLITS = {
    "Gymnasium's": lambda n: partial(carts, n),
    "serial ones": lambda n: partial(serial_carts, n),
    "pure ones": lambda n: partial(pure_carts, n),
}
