import pytest
import torch

from frl import TensorDict, envs, random
from frl.nn import (
    MLP,
    Actor,
    EGreedyModule,
    ExplorationType,
    QValueActor,
    TensorDictSequential,
    set_exploration_type,
)
from frl.specs import Bounded, Categorical, Composite, OneHot

KEY = random.key(0)
N = 4000


def actions(spec, value):
    return TensorDict({"action": torch.as_tensor(value, dtype=spec.dtype).expand(N, *spec.shape)}, [N])


def test_the_defaults_are_one_falling_to_a_tenth_in_a_thousand_frames():
    module = EGreedyModule(OneHot(2))
    assert (module.init.item(), module.end.item(), module.annealing_num_steps.item()) == (
        1.0,
        pytest.approx(0.1),
        1000.0,
    )


def test_each_row_is_replaced_with_probability_eps_by_a_uniform_action():
    spec = Categorical(4)
    drawn = EGreedyModule(spec, eps_init=0.6)(actions(spec, 2), key=KEY)["action"]
    frequencies = torch.bincount(drawn, minlength=4) / N
    assert frequencies.tolist() == pytest.approx([0.15, 0.15, 0.55, 0.15], abs=0.03)


def test_a_replaced_action_is_replaced_whole():
    spec = OneHot(5)
    drawn = EGreedyModule(spec, eps_init=0.5)(actions(spec, [0, 0, 1, 0, 0]), key=KEY)["action"]
    assert spec.contains(drawn)


def test_in_a_box_it_draws_uniformly():
    spec = Bounded(torch.tensor([-2.0, 0.0]), torch.tensor([2.0, 1.0]))
    drawn = EGreedyModule(spec)(actions(spec, [9.0, 9.0]), key=KEY)["action"]
    assert spec.contains(drawn)
    assert drawn.mean(0).tolist() == pytest.approx([0.0, 0.5], abs=0.1)
    assert drawn.var(0).tolist() == pytest.approx([16 / 12, 1 / 12], rel=0.1)


@pytest.mark.parametrize("spec", [OneHot(3), Categorical(3)])
def test_what_the_mask_forbids_is_never_drawn(spec):
    td = actions(spec, spec.from_index(torch.tensor(0)))
    td = td.set("mask", torch.tensor([True, False, True]).expand(N, 3))
    index = spec.to_index(EGreedyModule(spec, action_mask_key="mask")(td, key=KEY)["action"])
    assert (torch.bincount(index, minlength=3) / N).tolist() == pytest.approx([0.5, 0.0, 0.5], abs=0.03)


def test_a_composite_lends_the_spec_of_the_action():
    assert EGreedyModule(Composite({"a": OneHot(3)}), action_key="a").spec == OneHot(3)


@pytest.mark.parametrize("batch", [[], [4]])
def test_it_ends_a_policy_of_an_environment(batch):
    env = envs.make("CartPole-v1", batch_size=batch)
    policy = TensorDictSequential(
        QValueActor(MLP(4, 2, num_cells=[32]), spec=env.action_spec),
        EGreedyModule(spec=env.action_spec, annealing_num_steps=1000, eps_init=0.5),
    )
    with set_exploration_type(ExplorationType.RANDOM):
        td = env.rollout(3, policy, key=KEY)
    assert td["action"].shape == (*batch, 3, 2)
    assert env.single_action_spec.contains(td["action"])


def test_it_ends_a_policy_of_continuous_actions():
    env = envs.make("Pendulum-v1")
    policy = TensorDictSequential(
        Actor(MLP(3, 1, num_cells=[32, 64])),
        EGreedyModule(spec=env.action_spec, annealing_num_steps=1000, eps_init=0.5),
    )
    with set_exploration_type(ExplorationType.DETERMINISTIC):
        greedy = env.rollout(10, policy, key=KEY)
    with set_exploration_type(ExplorationType.RANDOM):
        explored = env.rollout(10, policy, key=KEY)
    assert not torch.equal(greedy["action"], explored["action"])
    assert torch.allclose(greedy["action"], policy[0](greedy)["action"])


def test_a_batch_of_no_axes_is_one_action():
    module = EGreedyModule(OneHot(2), eps_init=0.0, eps_end=0.0)
    assert module(TensorDict({"action": torch.tensor([0, 1])}), key=KEY)["action"].tolist() == [0, 1]


def test_it_has_no_parameters_and_saves_its_count():
    module = EGreedyModule(OneHot(2))
    module.num_frames = module.step(7)
    other = EGreedyModule(OneHot(2))
    other.load_state_dict(module.state_dict())
    assert list(module.parameters()) == []
    assert other.num_frames.item() == 7
