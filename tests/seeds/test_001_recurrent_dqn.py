"""Seed document 001: DQN with an LSTM that learns CartPole from pixels.

What is drawn (frames, actions, rows of the buffer) is replaced by what holds of every draw: keys, shapes and dtypes as
they are printed, episode numbers that change where episodes end, states that go from step to step. The document leaves
the LSTM's section empty and never makes the policy that explores; both are as in the tutorial that it retells.
"""

import pytest
import torch

from frl import random
from frl.collectors import Collector
from frl.nn import (
    ExplorationType,
    LSTMModule,
    QValueActor,
    TensorDictSequential,
    from_module,
    over_time,
    set_exploration_type,
)
from frl.replay import LazyMemmapStorage, TensorDictReplayBuffer
from frl.transforms import make_tensordict_primer
from tests.seeds.printed import printed
from tests.seeds.recurrent_dqn import explorer, feature, greedy_policy, pixels

STATE = ("recurrent_state_c", "recurrent_state_h")


# ---- the environment


@pytest.fixture(scope="module")
def env():
    """The environment with the LSTM's state; it is closed at the end."""
    with pixels().append_transform(make_tensordict_primer(LSTMModule(64, 128))) as env:
        yield env


def test_a_reset_shows_small_gray_pixels_and_where_the_episode_stands():
    with pixels() as env:
        assert repr(env.reset()) == printed(
            {
                "done": "bool 1",
                "is_init": "bool 1",
                "pixels": "float32 1 84 84",
                "step_count": "int64 1",
                "terminated": "bool 1",
                "truncated": "bool 1",
            },
            [],
            "cpu",
        )


def test_pixels_are_measured_once_and_are_standard_normal_after_it(env):
    norm = env.transform[6]
    assert norm.loc.shape == norm.scale.shape == (1, 84)
    raw = norm.parent.rollout(20)["pixels"]
    shown = env.rollout(20)["pixels"]
    assert 0 <= raw.min() < raw.max() <= 1
    assert shown.mean().abs() < 0.5
    assert 0.5 < shown.std() < 2


def test_marks_counts_and_rewards_of_an_episode(env):
    td = env.rollout(5)
    assert td["is_init"].squeeze(-1).tolist() == [True, False, False, False, False]
    assert td["step_count"].squeeze(-1).tolist() == [0, 1, 2, 3, 4]
    torch.testing.assert_close(td["next", "reward"], torch.full((5, 1), 0.1))


def test_a_reset_has_a_zero_state_and_the_buffer_keeps_it(env):
    td = env.reset()
    assert [(td[key].shape, bool(td[key].any())) for key in STATE] == [((1, 128), False)] * 2
    assert all(key in env.rollout(2) and ("next", key) in env.rollout(2) for key in STATE)


# ---- the policy


def test_the_network_makes_64_numbers_of_an_image(env):
    assert feature()(env.reset())["embed"].shape[-1] == 64


def test_the_bias_of_the_output_begins_at_zero(env):
    assert from_module(greedy_policy(env))["module", "2", "module", "2", "bias"].tolist() == [0.0, 0.0]


def test_the_policy_reads_a_state_and_writes_the_next_one(env):
    policy = greedy_policy(env)
    assert policy.in_keys == ["pixels", "recurrent_state_h", "recurrent_state_c", "is_init"]
    td = policy(env.reset())
    assert td["action"].shape == (2,)
    assert td["action"].dtype == torch.int64
    assert td["action_value"].shape == (2,)
    assert td["chosen_action_value"] == td["action_value"].max()
    assert td["action"][td["action_value"].argmax()] == 1
    assert all(td["next", key].any() for key in STATE)
    assert all(torch.equal(env.step(td)["next", key], td["next", key]) for key in STATE)


def test_a_q_value_actor_is_the_same_policy(env):
    policy = greedy_policy(env)
    actor = QValueActor(TensorDictSequential(*policy.module[:3]), spec=env.action_spec)
    td = env.reset()
    assert (actor(td) == policy(td)).all()


def test_a_whole_sequence_is_its_steps_one_by_one(env):
    policy = greedy_policy(env)
    with torch.no_grad():
        td = env.rollout(6, policy)
        whole = over_time(policy)(td)
    torch.testing.assert_close(whole["action_value"], td["action_value"])
    torch.testing.assert_close(whole["next", "recurrent_state_h"], td["next", "recurrent_state_h"])


def test_the_policy_explores_at_random_and_not_under_mode(env):
    policy = explorer(greedy_policy(env), env)
    td = env.reset()
    greedy = policy.module[0](td)["action"]
    drawn = torch.stack([policy(td, key=key)["action"] for key in random.split(random.key(0), 100)])
    assert 1 <= (drawn != greedy).any(-1).sum() <= 25  # ε is 0.2, and half of the random actions are the greedy one
    with set_exploration_type(ExplorationType.MODE):
        assert torch.equal(policy(td)["action"], greedy)


# ---- experience


ROOT = {
    "action": "int64 {} 2",
    "action_value": "float32 {} 2",
    "chosen_action_value": "float32 {} 1",
    "done": "bool {} 1",
    "embed": "float32 {} 128",
    "is_init": "bool {} 1",
    "pixels": "float32 {} 1 84 84",
    "recurrent_state_c": "float32 {} 1 128",
    "recurrent_state_h": "float32 {} 1 128",
    "step_count": "int64 {} 1",
    "terminated": "bool {} 1",
    "truncated": "bool {} 1",
}
OF_THE_POLICY = ("action", "action_value", "chosen_action_value", "embed")


def of_batch(batch, device, **more):
    """The text of a batch: at the root what was seen and written, under "next" what came of it."""
    axes = " ".join(map(str, batch))
    after = {key: text for key, text in ROOT.items() if key not in OF_THE_POLICY} | {"reward": "float32 {} 1"}
    texts = {key: text.format(axes) for key, text in ROOT.items()}
    texts["next"] = printed({key: after[key].format(axes) for key in sorted(after)}, batch, device)
    texts["collector"] = printed({"traj_ids": f"int64 {axes}"}, batch, device)
    texts |= {key: text.format(axes) for key, text in more.items()}
    return printed(dict(sorted(texts.items())), batch, device)


@pytest.fixture(scope="module")
def collected(env):
    """Four batches of fifty frames."""
    with torch.random.fork_rng(devices=[]):
        policy = explorer(greedy_policy(env), env)
        with Collector(env, policy, frames_per_batch=50, total_frames=200) as collector:
            return list(collector)


def test_a_collector_makes_four_batches_of_fifty_frames(collected):
    assert [data.batch_size for data in collected] == [(50,)] * 4
    data = collected[0].exclude(("collector", "version"))  # what frl adds: by which weights it was acted
    assert repr(data) == of_batch([50], None)


def test_episodes_have_numbers_and_states_go_on_within_them(collected):
    data = torch.cat(collected)
    ended = data["next", "done"].squeeze(-1)[:-1]
    number = data["collector", "traj_ids"]
    assert torch.equal(number[1:] != number[:-1], ended)
    assert torch.equal(data["is_init"].squeeze(-1)[1:], ended)
    here, there = data["recurrent_state_h"][1:], data["next", "recurrent_state_h"][:-1]
    assert torch.equal(here[~ended], there[~ended])
    assert not here[ended].any()
    assert ended.any()


def test_a_buffer_of_trajectories_gives_four_of_them_and_their_rows(collected, tmp_path):
    storage = LazyMemmapStorage(200, tmp_path)  # 20,000 in the document: 56 GB on the disk
    with TensorDictReplayBuffer(storage=storage, batch_size=4, prefetch=10) as rb:
        for data in collected:
            rb.extend(data.exclude(("collector", "version")).unsqueeze(0))
        sample = rb.sample()
    assert repr(sample.to("cpu")) == of_batch([4, 50], "cpu", index="int64 {}")
    assert set(sample["index"].flatten().tolist()) <= {0, 1, 2, 3}
    row = sample["index"][0, 0]
    assert (sample[0].exclude("index") == collected[row].exclude(("collector", "version"))).all()
