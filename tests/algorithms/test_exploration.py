"""Another exploration for an algorithm: it is added, carried and faded, and the greedy policy stays."""

import pytest
import torch

from frl import random
from frl.algorithms import actor_q, ddpg, explored_by, sac, stochastic_actor_q
from frl.algorithms.ddpg import DDPGConfig
from frl.collectors import collect, start
from frl.envs import make
from frl.nn import AdditiveGaussianModule, OrnsteinUhlenbeckProcessModule
from frl.replay import uniform
from frl.training import off_policy
from frl.transforms import Compose, InitTracker, TransformedEnv, make_tensordict_primer

KEY = random.key(0)


def quiet(env):
    """A deterministic policy that explores by nothing."""
    return ddpg(actor_q(env.single_observation_spec, env.single_action_spec, (4,)), DDPGConfig(noise=0.0))


def test_the_module_is_added_and_the_greedy_policy_stays():
    env = make("Pendulum-v1", 2000)
    noisy = explored_by(quiet(env), AdditiveGaussianModule(env.single_action_spec, 10, 0.2, 0.0))
    train, td = noisy.init(KEY), env.reset(random.key(1))
    greedy = noisy.act(train, td, explore=False)["action"]
    assert torch.equal(greedy, quiet(env).act(train, td, explore=False)["action"])
    assert abs((noisy.act(train, td, random.key(2))["action"] - greedy).std().item() - 0.2) < 0.02
    faded = noisy.act(train.set("updates", torch.tensor(10.0)), td, random.key(2))["action"]
    assert torch.equal(faded, greedy)


def test_a_process_goes_on_from_step_to_step_and_begins_anew_with_each_episode():
    base = make("Pendulum-v1", 200)
    process = OrnsteinUhlenbeckProcessModule(base.single_action_spec, 10**6, 1.0, 1.0, theta=0.1, sigma=0.1, dt=1.0)
    env = TransformedEnv(base, Compose(InitTracker(), make_tensordict_primer(process)))
    algorithm = explored_by(quiet(base), process)
    train = algorithm.init(KEY)
    batch = collect(env, algorithm.act, train, start(env, random.key(1)), random.key(2), 20)[1]
    noise = batch["next", "ou_noise"][..., 0]
    correlation = torch.corrcoef(torch.stack([noise[:, 10], noise[:, 11]]))[0, 1]
    assert correlation > 0.8
    assert not batch["ou_noise"][:, 0].any()
    assert torch.equal(batch["ou_noise"][:, 5:], batch["next", "ou_noise"][:, 4:-1])


def test_a_loop_learns_by_it():
    base = make("Pendulum-v1", 2)
    process = OrnsteinUhlenbeckProcessModule(base.single_action_spec)
    env = TransformedEnv(base, Compose(InitTracker(), make_tensordict_primer(process)))
    networks = stochastic_actor_q(base.single_observation_spec, base.single_action_spec, (4,))
    loop = off_policy(env, explored_by(sac(networks), process), uniform(16, 4), 4, 2)
    state, metrics = loop.step(loop.init(KEY))
    assert state["train", "updates"].item() == 2
    assert metrics["loss_qvalue"].isfinite()


def test_what_is_no_exploration_is_refused():
    env = make("Pendulum-v1", 2)
    with pytest.raises(TypeError, match="explored_by: module is a Tanh but must be an exploration module"):
        explored_by(quiet(env), torch.nn.Tanh())
