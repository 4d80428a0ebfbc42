import pytest
import torch
from torch import nn

from frl import TensorDict, random, tree
from frl.nn import (
    Actor,
    AdditiveGaussianModule,
    EGreedyModule,
    ExplorationType,
    OrnsteinUhlenbeckProcessModule,
    QValueActor,
    TensorDictSequential,
    advance,
    buffers,
    from_module,
    functional_call,
    set_exploration_type,
)
from frl.specs import Bounded, OneHot
from tests.traced import traced

KEY = random.key(0)
BOX = Bounded(-1.0, 1.0, 2)
MAKE = {
    "epsilon": lambda: EGreedyModule(BOX, 100, 1.0, 0.2),
    "gaussian": lambda: AdditiveGaussianModule(BOX, 100, 1.0, 0.2),
    "correlated": lambda: OrnsteinUhlenbeckProcessModule(BOX, 100, 1.0, 0.2),
}
every = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
TD = TensorDict({"action": torch.full((500, 2), 0.25), "is_init": torch.zeros(500, 1, dtype=torch.bool)}, [500])


@every
def test_the_factor_falls_linearly_and_stays_at_its_end(make):
    module = make()
    values = []
    for frames in (0, 25, 50, 100, 1000):
        module.num_frames = torch.tensor(frames)
        values.append(module.annealed().item())
    assert values == pytest.approx([1.0, 0.8, 0.6, 0.2, 0.2])


@every
def test_a_step_returns_the_new_count_and_leaves_the_module_as_it_is(make):
    module = make()
    assert module.step(30).item() == 30
    assert module.num_frames.item() == 0
    module.num_frames = module.step(30)
    assert module.step(torch.tensor(30)).item() == 60


@every
@pytest.mark.parametrize("kind", [ExplorationType.MODE, ExplorationType.MEAN, ExplorationType.DETERMINISTIC])
def test_a_deterministic_type_leaves_the_action_and_needs_no_key(make, kind):
    module = make()
    assert module(TD, exploration=kind)["action"] is TD["action"]
    with set_exploration_type(kind):
        assert module(TD)["action"] is TD["action"]


@every
def test_it_explores_where_the_type_is_random_or_not_given(make):
    module = make()
    unset = module(TD, key=KEY)["action"]
    with set_exploration_type(ExplorationType.RANDOM):
        assert torch.equal(module(TD, key=KEY)["action"], unset)
    assert not torch.equal(unset, TD["action"])
    assert bool((unset.abs() <= 1).all())


@every
def test_a_key_for_each_row_draws_each_row_from_its_own(make):
    module, keys = make(), random.split(KEY, 4)
    rows = tree.stack([module(td, key=k)["action"] for td, k in zip(TD[:4].unbind(0), keys, strict=True)])
    assert torch.equal(module(TD[:4], key=keys)["action"], rows)
    assert torch.equal(torch.vmap(lambda td, k: module(td, key=k)["action"])(TD[:4], keys), rows)


@every
def test_a_batched_spec_will_do(make):
    module, single = make(), make()
    module.spec = BOX.expand(500)
    assert module(TD, key=KEY)["action"].shape == single(TD, key=KEY)["action"].shape


def test_the_count_is_a_leaf_of_the_state_of_a_training_step():
    policy = TensorDictSequential(QValueActor(nn.Linear(4, 2), spec=OneHot(2)), EGreedyModule(OneHot(2), 10, 1.0, 0.0))
    td = TensorDict({"observation": torch.ones(64, 4)}, [64])

    def step(state):
        acted = functional_call(policy, state["params"].update(state["exploration"]), td, key=state["key"])
        explored = (acted["action"] != acted["action"][:1]).any(-1).float().mean()
        return state.set("exploration", advance(policy, state["exploration"], 5)), explored

    state = TensorDict({"params": from_module(policy), "exploration": buffers(policy), "key": KEY})
    for run in (step, traced(step)):
        after = state
        explored = []
        for _ in range(3):
            after, part = run(after)
            explored.append(part.item())
        assert after["exploration", "module", "1", "num_frames"].item() == 15
        assert explored[0] > 0.2
        assert explored[2] == 0.0
    members = tree.stack([state, after])  # one that explores and one that has ended
    assert [x > 0.2 for x in torch.vmap(step)(members)[1].tolist()] == [True, False]


def test_limits_can_be_swept():
    module = EGreedyModule(OneHot(2), 10, 1.0, 0.0)
    td = TensorDict({"action": torch.tensor([[1, 0]]).expand(1000, 2)}, [1000])

    def explored(eps):
        return (functional_call(module, buffers(module).set("init", eps), td, key=KEY)["action"][:, 1]).sum()

    none, half, all_ = torch.vmap(explored)(torch.tensor([0.0, 0.5, 1.0])).tolist()
    assert none == 0
    assert half == pytest.approx(250, abs=50)
    assert all_ == pytest.approx(500, abs=60)


def test_advance_counts_for_every_exploration_module():
    policy = TensorDictSequential(Actor(nn.Linear(3, 2)), EGreedyModule(BOX), AdditiveGaussianModule(BOX))
    after = advance(policy, buffers(policy), 7)
    assert [after["module", str(i), "num_frames"].item() for i in (1, 2)] == [7, 7]
    assert policy[1].num_frames.item() == 0
