"""Seed document 001, its training: gradient steps, target, exploration and the whole loop, on small images.

What is drawn on the way is replaced by what holds of every draw: losses are those of double Q-learning, steps those of
torch's Adam, episodes have at most 500 steps.
"""

import pytest
import torch

from frl import TensorDict, compilation
from frl.collectors import Collector
from frl.nn import ExplorationType, LSTMModule, from_module, functional_call, over_time, set_exploration_type
from frl.replay import LazyMemmapStorage, TensorDictReplayBuffer
from frl.transforms import make_tensordict_primer
from tests.seeds.recurrent_dqn import after_batch, explorer, greedy_policy, learner, pixels, weights


@pytest.fixture(scope="module")
def small():
    env = pixels(12).append_transform(make_tensordict_primer(LSTMModule(8, 128)))
    with torch.random.fork_rng(devices=[]), env:
        policy = greedy_policy(env, num_cells=(4, 4, 8))
        with Collector(env, explorer(policy, env), frames_per_batch=50, total_frames=200) as collector:
            yield env, policy, torch.stack(list(collector), 0)


def test_the_loss_is_that_of_double_q_learning_over_sequences(small):
    env, policy, batch = small
    loss, train, learn = learner(policy, env)
    train = after_batch(learn(train, batch)[0], explorer(policy, env), 200)  # value and target are now apart
    said = loss(train["params"], batch)
    value, target = train["params", "value"], train["params", "target", "value"]
    ours, theirs = (functional_call(over_time(policy), params, batch) for params in (value, target))
    best = functional_call(policy, value, ours["next"])["action"]
    following = (functional_call(policy, target, theirs["next"])["action_value"] * best).sum(-1)
    after = batch["next"]
    expected = after["reward"].squeeze(-1) + 0.99 * following * ~after["terminated"].squeeze(-1)
    pred = (ours["action_value"] * batch["action"]).sum(-1)
    torch.testing.assert_close(said["target_value"], expected)
    torch.testing.assert_close(said["loss"], ((pred - expected) ** 2).mean())
    assert said["td_error"].shape == (4, 50)


def test_a_step_leaves_the_target_and_sixteen_make_the_loss_of_a_batch_smaller(small):
    env, policy, batch = small
    _, train, learn = learner(policy, env)
    first, losses = learn(train, batch)
    assert (first["params", "target"] == train["params", "target"]).all()
    start = losses["loss"]
    train = first
    for _ in range(15):
        train, losses = learn(train, batch)
    assert losses["loss"] < start


def test_a_step_is_that_of_torch_with_backward(small):
    env, policy, batch = small
    loss, train, learn = learner(policy, env)
    params = loss.init()
    live = TensorDict.from_module(policy, live=True)
    adam = torch.optim.Adam(policy.parameters(), lr=1e-4)
    before = {name: x.detach().clone() for name, x in policy.named_parameters()}
    try:
        loss(params.set("value", live), batch)["loss"].backward()
        adam.step()
        adam.zero_grad()
        stepped = from_module(policy)
    finally:
        policy.load_state_dict(before, strict=False)
    for ours, theirs in zip(leaves(learn(train, batch)[0]["params", "value"]), leaves(stepped), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-4)


@pytest.mark.usefixtures("traced_graphs")
def test_a_step_traced_is_the_step_and_two_vmapped_are_each(small):
    env, policy, batch = small
    _, train, learn = learner(policy, env)
    batch = batch[:, :8].exclude("collector")
    stepped = learn(train, batch)
    traced = compilation.compile(learn)(train, batch)
    two = torch.vmap(learn, (0, None))(torch.stack([train, train], 0), batch)
    for x, y, z in zip(leaves(stepped[0]), leaves(traced[0]), leaves(two[0]), strict=True):
        torch.testing.assert_close(y, x)
        torch.testing.assert_close(z, torch.stack([x, x], 0), atol=1e-5, rtol=1e-4)


def leaves(td):
    return [td[key] for key in td.keys(include_nested=True, leaves_only=True)]


def test_after_a_batch_the_target_has_moved_and_exploration_is_annealed(small):
    env, policy, batch = small
    _, train, learn = learner(policy, env)
    train, _ = learn(train, batch)
    before, value = train["params", "target", "value"], train["params", "value"]
    train = after_batch(train, explorer(policy, env), 50)
    for new, old, learned in zip(
        leaves(train["params", "target", "value"]), leaves(before), leaves(value), strict=True
    ):
        torch.testing.assert_close(new, 0.95 * old + 0.05 * learned)
    assert train["exploration", "num_frames"] == 50


def test_the_training_loop_runs_as_written(small, tmp_path):
    env, policy, _ = small
    stoch_policy = explorer(policy, env)
    _, train, learn = learner(policy, env)
    rb = TensorDictReplayBuffer(storage=LazyMemmapStorage(20, tmp_path), batch_size=4, prefetch=10)
    utd, longest, traj_lens = 16, 0, []
    with rb, Collector(env, stoch_policy, frames_per_batch=8, total_frames=32) as collector:  # 50 and 200 there
        for data in collector:
            rb.extend(data.unsqueeze(0).to_tensordict().cpu())
            for _ in range(utd):
                train, losses = learn(train, rb.sample().to("cpu", non_blocking=True))
                assert losses["loss"].isfinite()
            longest = max(longest, data["step_count"].max().item())
            train = after_batch(train, stoch_policy, data.numel())
            collector.update_weights(weights(train))
            traj_lens.append(evaluation(env, stoch_policy, train))
        assert data["collector", "version"][0] == 3  # the last batch was collected by the third weights that were sent
    assert len(traj_lens) == 4
    assert all(1 <= n <= 500 for n in traj_lens)
    assert longest >= 7
    assert train["exploration", "num_frames"] == 32


def evaluation(env, stoch_policy, train):
    """How long an episode lasts under the greedy policy."""
    learned = weights(train)
    with set_exploration_type(ExplorationType.MODE), torch.no_grad():
        rollout = env.rollout(10_000, lambda td: functional_call(stoch_policy, learned, td))
    return rollout.get(("next", "step_count")).max().item()
