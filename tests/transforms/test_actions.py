import pytest
import torch

from frl import TensorDict, random
from frl.envs import make
from frl.specs import Bounded, MultiCategorical, OneHot
from frl.transforms import ActionDiscretizer, ActionMask, ActionScaling, Compose, TransformedEnv
from tests.transforms.worlds import pendulum, scene

KEY = random.key(0)


def below(transform, action, spec):
    return transform.act(TensorDict({"action": action}), spec)["action"]


def test_ends_and_middle_are_those_of_the_environment():
    spec = Bounded(torch.tensor([-2.0, 0.0]), torch.tensor([2.0, 10.0]))
    for share, expected in ((-1.0, [-2, 0]), (0.0, [0, 5]), (1.0, [2, 10])):
        assert below(ActionScaling(), torch.full((2,), share), spec).tolist() == expected


def test_the_environment_moves_by_what_it_is_given_and_the_root_keeps_what_was_chosen():
    env, bare = TransformedEnv(pendulum(), ActionScaling()), pendulum()
    ours = env.step(env.reset(KEY).set("action", torch.full((3, 1), 0.5)), KEY)
    theirs = bare.step(bare.reset(KEY).set("action", torch.full((3, 1), 1.0)), KEY)
    assert torch.equal(ours["next", "observation"], theirs["next", "observation"])
    assert (ours["action"] == 0.5).all()


def test_several_elements_are_discretised_side_by_side():
    spec = Bounded(-torch.ones(2), torch.ones(2))
    assert ActionDiscretizer(4).action_spec(spec) == MultiCategorical([4, 4])
    assert below(ActionDiscretizer(4), torch.tensor([0, 3]), spec).tolist() == [-0.75, 0.75]


def test_one_element_is_one_choice():
    env = TransformedEnv(make("Pendulum-v1", 2), ActionDiscretizer(3))
    assert env.single_action_spec == OneHot(3)
    assert env.rollout(2, key=KEY)["action"].shape == (2, 2, 3)


def test_random_actions_are_among_those_allowed():
    env = TransformedEnv(scene((50,)), ActionMask())
    td = env.rollout(4, key=KEY, break_when_any_done=False)
    chosen = td["action_mask"].gather(-1, td["action"].argmax(-1, keepdim=True))
    assert (chosen == 1).all()
    assert td["action"].sum((0, 1)).min() > 20  # each of the three is drawn


def test_an_action_that_may_not_be_taken_is_refused_by_its_row():
    env = TransformedEnv(scene((2,)), ActionMask())
    td = env.reset(KEY).set("action", torch.tensor([[0, 1, 0], [1, 0, 0]]))
    with pytest.raises(
        ValueError, match=r"the action at \[1\] is 0, but its mask 'action_mask' is \[False, True, True"
    ):
        env.step(td, KEY)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: TransformedEnv(scene(), ActionScaling()), TypeError, "is OneHot of torch.int64 but must be Bounded"),
        (lambda: TransformedEnv(scene(), ActionDiscretizer(2)), TypeError, "is OneHot"),
        (lambda: TransformedEnv(pendulum(), ActionMask()), KeyError, "shows no 'action_mask'"),
        (lambda: ActionScaling(1.0, 1.0), ValueError, "must be below"),
        (lambda: ActionDiscretizer(0), ValueError, "num_intervals is 0"),
        (lambda: Compose(ActionMask()).action_spec(Bounded(0.0, 1.0)), TypeError, "must be OneHot or Categorical"),
    ],
)
def test_bad_calls_are_named(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
