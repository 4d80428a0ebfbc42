import gc
import os

import pytest
import torch
from torch import nn

from frl import TensorDict, random
from frl.collectors import Collector
from frl.envs import FunctionalEnv, GymEnv, SerialEnv, make
from frl.envs.probes import Endless, LateReward
from frl.nn import EGreedyModule, QValueActor, TensorDictSequential, advance, buffers, from_module
from frl.specs import OneHot
from frl.transforms import RewardScaling, StepCounter, TransformedEnv
from tests.collectors import policies
from tests.envs import faulty

KEY = random.key(0)


def push_right(td):
    return td.set("action", torch.tensor([0, 1]).expand(*td.batch_size, 2))


def one_batch(env, policy=None, frames_per_batch=40, **rest):
    with Collector(env, policy, frames_per_batch, **rest) as collector:
        return next(iter(collector))


def test_four_batches_of_fifty_frames_are_two_hundred():
    with Collector(faulty.cartpole, frames_per_batch=50, total_frames=200) as collector:
        batches = list(collector)
        assert [batch.batch_size for batch in batches] == [(50,)] * 4
        assert collector.frames == 200
        assert list(collector) == []


def test_a_batch_has_exactly_what_was_seen_done_and_known():
    batch = one_batch(TransformedEnv(faulty.pendulum(), StepCounter()), policies.gaussian())
    seen = {"observation", "step_count", "done", "terminated", "truncated"}
    assert set(batch) == {*seen, "action", "both", "loc", "scale", "sample_log_prob", "next", "collector"}
    assert set(batch["next"]) == {*seen, "reward"}
    assert set(batch["collector"]) == {"traj_ids", "version"}
    assert {name: (x.shape, x.dtype) for name, x in batch["collector"].items()} == {
        "traj_ids": ((40,), torch.int64),
        "version": ((40,), torch.int64),
    }
    assert batch.device is None


def test_next_is_the_true_successor_and_the_following_step_begins_afresh():
    batch = one_batch(FunctionalEnv(LateReward(), 1), push_right, 4)
    assert batch["observation"].flatten().tolist() == [0, 1, 0, 1]
    assert batch["next", "observation"].flatten().tolist() == [1, 2, 1, 2]
    assert batch["next", "terminated"].flatten().tolist() == [False, True, False, True]
    assert not batch["done"].any()


def test_numbers_of_episodes_are_unique_and_go_on_in_the_next_batch():
    with Collector(FunctionalEnv(LateReward(), 2), push_right, 6) as collector:
        batches = iter(collector)
        first, second = next(batches), next(batches)
    assert first["collector", "traj_ids"].tolist() == [[0, 0, 2], [1, 1, 3]]
    assert second["collector", "traj_ids"].tolist() == [[2, 4, 4], [3, 5, 5]]


def test_one_batch_of_many_steps_is_many_of_few():
    with Collector(faulty.cartpole, frames_per_batch=10, total_frames=60) as collector:
        few = torch.cat(list(collector), 0)
    assert bool((few == one_batch(faulty.cartpole, frames_per_batch=60)).all())


def test_a_trajectory_that_is_too_long_is_truncated_and_not_terminated():
    batch = one_batch(FunctionalEnv(Endless(), 1), push_right, 7, max_frames_per_traj=3)
    assert batch["next", "truncated"].flatten().tolist() == [False, False, True, False, False, True, False]
    assert not batch["next", "terminated"].any()
    assert batch["collector", "traj_ids"].flatten().tolist() == [0, 0, 0, 1, 1, 1, 2]
    assert set(batch) == {"observation", "action", "done", "terminated", "truncated", "next", "collector"}


@pytest.mark.parametrize("env", [faulty.cartpole, lambda: SerialEnv(2, faulty.cartpole)])
def test_environments_of_gymnasium_are_truncated_too(env):
    batch = one_batch(env, frames_per_batch=12, max_frames_per_traj=2)
    assert batch["next", "truncated"].reshape(-1, 2).tolist() == [[False, True]] * 6


def test_random_frames_come_first_and_keep_what_else_the_policy_writes():
    env = make("Pendulum-v1", 2)
    batch = one_batch(env, policies.constant(), 12, init_random_frames=5)
    drawn = batch["action"].squeeze(-1) != 0.5
    assert drawn.tolist() == [[True] * 3 + [False] * 3] * 2


def test_a_recurrent_state_is_read_at_the_root_and_written_under_next():
    batch = one_batch(policies.recurrent_env, policies.grows, 3)
    assert batch["hidden"][:, 0].tolist() == [0, 1, 2]
    assert batch["next", "hidden"][:, 0].tolist() == [1, 2, 3]
    assert batch["is_init"].flatten().tolist() == [True, False, False]


def test_new_weights_act_from_the_next_batch_on_and_the_data_say_which():
    policy = policies.constant()
    params = from_module(policy)
    with Collector(faulty.pendulum, policy, 4) as collector:
        batches = iter(collector)
        first = next(batches)
        collector.update_weights(params)
        second = next(batches)
        collector.update_weights(params.set(("module", "bias"), torch.tensor([-1.0])))
        third = next(batches)
    assert [b["collector", "version"].unique().tolist() for b in (first, second, third)] == [[0], [1], [2]]
    assert first["action"].unique().tolist() == [0.5]
    assert third["action"].unique().tolist() == [-1.0]
    assert policy.module.bias.tolist() == [0.5]
    assert not third["action"].requires_grad


def test_a_module_that_is_trained_in_place_acts_by_what_it_has():
    policy = policies.constant()
    with Collector(faulty.pendulum, policy, 4) as collector:
        batches = iter(collector)
        next(batches)
        with torch.no_grad():
            policy.module.bias.fill_(0.25)
        assert next(batches)["action"].unique().tolist() == [0.25]


def test_an_exploration_is_annealed_by_its_buffers():
    net = QValueActor(nn.Linear(4, 2, device="meta").to_empty(device="cpu"), spec=OneHot(2))
    with torch.no_grad():
        net[0].module.weight.zero_(), net[0].module.bias.copy_(torch.tensor([0.0, 1.0]))
    policy = TensorDictSequential(net, EGreedyModule(OneHot(2), annealing_num_steps=10, eps_end=0.0))
    with Collector(lambda: policies.carts(2), policy, 40) as collector:
        batches = iter(collector)
        assert next(batches)["action"][..., 0].any()
        collector.update_weights(from_module(policy).update(advance(policy, buffers(policy), 10)))
        assert not next(batches)["action"][..., 0].any()


def test_the_callers_environment_is_not_touched():
    env = TransformedEnv(GymEnv("CartPole-v1", seed=3), RewardScaling(0.0, 0.5))
    expected = TransformedEnv(GymEnv("CartPole-v1", seed=3), RewardScaling(0.0, 0.5)).rollout(20)
    with Collector(env, frames_per_batch=40) as collector:
        batches = iter(collector)
        first = next(batches)
        assert bool((env.rollout(20) == expected).all())
        second = next(batches)
    assert bool((torch.cat([first, second], 0) == one_batch(env, frames_per_batch=80)).all())
    assert env.reset()["observation"].shape == (4,)


def test_equal_seeds_give_equal_batches_and_others_others():
    with Collector(faulty.cartpole, frames_per_batch=30, seed=1) as collector:
        first = next(iter(collector))
        other = next(iter(collector))
        collector.set_seed(1)
        assert bool((next(iter(collector)) == first).all())
        collector.set_seed(2)
        assert not bool((next(iter(collector)) == first).all())
    assert not bool((other == first).all())


def test_a_device_pins_the_batch():
    assert one_batch(faulty.pendulum, policies.actor(), device="cpu").device == torch.device("cpu")


def test_what_happens_in_an_environment_does_not_depend_on_its_neighbours():
    for policy in (policies.act_at_random, policies.gaussian()):
        three = one_batch(lambda: policies.pendulums(3), policy, 30)
        one = one_batch(lambda: policies.pendulums(1), policy, 10)
        torch.testing.assert_close(three["next", "observation"][:1], one["next", "observation"], rtol=0, atol=1e-5)


def test_a_batch_keeps_its_values():
    with Collector(faulty.cartpole, frames_per_batch=10) as collector:
        batches = iter(collector)
        first = next(batches)
        copy = first.clone()
        next(batches)
    assert bool((first == copy).all())


def test_it_closes_what_it_made_and_nothing_else():
    files = len(os.listdir("/proc/self/fd"))
    env = faulty.cartpole()
    collector = Collector(env, frames_per_batch=10)
    batches = iter(collector)
    next(batches)
    collector.shutdown()
    collector.shutdown()
    with pytest.raises(RuntimeError, match=r"Collector: used after shutdown\(\); make another one"):
        next(batches)
    env.reset()
    del collector, batches
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == files


def test_a_batch_that_was_broken_off_is_not_gone_on_with():
    steps = []

    def policy(td):
        steps.append(1)
        if len(steps) == 5:
            raise KeyboardInterrupt
        return push_right(td)

    with Collector(faulty.cartpole, policy, 8) as collector:
        with pytest.raises(KeyboardInterrupt):
            next(iter(collector))
        with pytest.raises(RuntimeError, match=r"the last batch was broken off; begin anew by set_seed\(seed\)"):
            next(iter(collector))
        collector.set_seed(0)
        assert next(iter(collector)).batch_size == (8,)


def test_a_policy_that_returns_no_tensordict_is_named():
    with pytest.raises(TypeError, match="a step takes a TensorDict but got a Tensor"):
        one_batch(faulty.cartpole, lambda td: torch.zeros(2))
    assert isinstance(one_batch(faulty.cartpole), TensorDict)
