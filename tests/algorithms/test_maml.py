"""MAML: its meta-gradient by hand, of both orders; and the laws of every algorithm."""

import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from frl import TensorDict, random, tree
from frl.algorithms import ActorCritic, MAMLConfig, actor_critic, advantages, maml
from frl.algorithms.maml import adaptation, constant_gradient, meta_objective
from frl.collectors import collect, start
from frl.distributions import Categorical
from frl.envs import make
from frl.functional import standardize
from frl.nn import ProbabilisticActor, TensorDictModule, ValueOperator, from_module
from tests.purity import Purity
from tests.traced import traced

ORDERS = {"second": torch.func.grad, "first": constant_gradient}


@pytest.mark.parametrize(("order", "expected"), [("second", 0.5 * 0.5), ("first", 0.5)])
def test_on_a_parabola_the_second_order_counts_that_the_step_brings_all_starts_together(order, expected):
    # x' = x − ½ x, so that dx'/dx = ½; the loss after it is x', whose slope is 1, at x = 1
    def after(x):
        return 0.5 * adaptation(lambda p: 0.5 * p["x"] ** 2, TensorDict({"x": x}), 0.5, ORDERS[order])["x"] ** 2

    assert torch.func.grad(after)(torch.tensor(1.0)).item() == expected


# ---- a bandit of two arms, pulled with probabilities ¾ and ¼, whose logits are the parameters


def two_arms():
    with torch.random.fork_rng(devices=[]):
        net = TensorDictModule(nn.Linear(1, 2, bias=False), ["observation"], ["logits"])
        actor = ProbabilisticActor(net, ["logits"], distribution_class=Categorical, return_log_prob=True).double()
        critic = ValueOperator(nn.Linear(1, 1)).double()
    networks = ActorCritic(actor, critic, lambda key: TensorDict({}))
    params = TensorDict({"actor": from_module(actor), "critic": from_module(critic)})
    weight = torch.tensor([[math.log(3.0)], [0.0]], dtype=torch.float64)
    return networks, params.set(("actor", "module", "0", "module", "weight"), weight)


def pulls(log_prob: list[float]) -> TensorDict:
    """Four steps [1, 4]: the first arm, thrice, is worth 1 and the second nothing."""
    action = torch.tensor([[0, 0, 0, 1]])
    worth = (1 - action).double().unsqueeze(-1)
    seen = {"observation": torch.ones(1, 4, 1, dtype=torch.float64), "action": action}
    old = torch.tensor(log_prob, dtype=torch.float64)[action]
    return TensorDict({**seen, "advantage": worth, "value_target": worth, "sample_log_prob": old}, [1, 4])


RATE = 0.3
SLOPE = math.sqrt(3) / 4  # of the standardised return in the difference of the logits; they are 1/√3 and −√3
BEND = -math.sqrt(3) / 8  # its second derivative
AFTER = math.log(3) + 2 * RATE * SLOPE  # the difference after the adaptation


def meta_gradient(order: str) -> torch.Tensor:
    networks, params = two_arms()
    likely = -math.log1p(math.exp(-AFTER))
    data = tree.stack([pulls([math.log(0.75), math.log(0.25)]), pulls([likely, likely - AFTER])]).unsqueeze(0)
    hyper = {"inner_rate": RATE, "clip": 0.2, "value_cost": 0.0, "entropy_cost": 0.0}
    leaves = TensorDict({name: torch.tensor(x, dtype=torch.float64) for name, x in hyper.items()})
    objective = meta_objective(networks, leaves, ORDERS[order])
    losses, gradient = objective(params, data), torch.func.grad(lambda p: objective(p, data)["loss"])(params)
    assert losses["kl_approx"].item() == pytest.approx(0, abs=1e-12)  # so AFTER is where the adaptation leads
    return gradient["actor"].flatten_keys()["module.0.module.weight"].flatten()


def test_the_first_order_meta_gradient_of_a_bandit_is_the_policy_gradient_after_the_adaptation():
    assert meta_gradient("first").tolist() == pytest.approx([-SLOPE, SLOPE])


def test_the_second_order_one_has_the_second_derivative_of_the_return_too():
    bent = SLOPE * (1 + 2 * RATE * BEND)
    assert meta_gradient("second").tolist() == pytest.approx([-bent, bent])


# ---- of networks, on experience


ENV = make("PointNavigation-v0", 2)
TASK = ENV.params._replace(goal=torch.tensor([[0.3, 0.1], [-0.2, 0.4], [0.0, -0.4]]))


def networks():
    return actor_critic(ENV.single_observation_spec, ENV.single_action_spec, (4,))


def experience(algorithm, num_adaptations=1):
    train, batches = algorithm.init(random.key(0)), []
    for task, key in zip(TASK.goal, random.split(random.key(1), 3), strict=True):
        inside, now, rollouts = ENV.with_params(TASK._replace(goal=task)), train, []
        for k in random.split(key, num_adaptations + 1):
            now = algorithm.adapt(now, rollouts[-1]) if rollouts else now
            rollouts.append(collect(inside, algorithm.act, now, start(inside, k), k, 5)[1])
        batches.append(tree.stack(rollouts))
    return train, tree.stack(batches)


def same(found, expected, **tolerance):
    for (name, x), (_, y) in zip(tree.named_leaves(found), tree.named_leaves(expected), strict=True):
        assert_close(x, y, msg=lambda text, name=name: f"{name}: {text}", **tolerance)


def test_through_two_adaptations_the_meta_gradient_is_that_of_finite_differences():
    nets = networks()
    algorithm = maml(nets, MAMLConfig(inner_rate=0.7))
    train, batch = (tree.cast(x, torch.float64) for x in experience(algorithm, 2))
    columns = {"advantage": batch["next", "reward"], "value_target": batch["next", "reward"]}
    data = batch.exclude("next").update(columns)
    flat, unravel = tree.ravel(train["params"])

    def loss(flat):
        return meta_objective(nets, train["hyper"].set("clip", torch.tensor(9.0)), torch.func.grad)(
            unravel(flat), data
        )["loss"]

    with torch.random.fork_rng(devices=[]):  # the fast check draws a direction from the global generator
        assert torch.autograd.gradcheck(loss, flat.requires_grad_(), fast_mode=True)


def test_the_values_learn_from_what_was_done_before_the_first_adaptation_alone():
    train, batch = experience(maml(networks()), 2)
    data = advantages(networks(), train["params"], batch, 0.99, 1.0)
    gradient = torch.func.grad(lambda p, d: meta_objective(networks(), train["hyper"], torch.func.grad)(p, d)["loss"])
    target = data["value_target"]
    for changed in (0, 1, 2):
        other = data.set("value_target", target.index_add(1, torch.tensor([changed]), torch.ones_like(target[:, :1])))
        left, right = (gradient(train["params"], d)["critic"] for d in (data, other))
        apart = sum((x - y).abs().sum() for x, y in zip(tree.leaves(left), tree.leaves(right), strict=True))
        assert bool(apart > 0) == (changed == 0), changed


def test_of_two_adaptations_each_counts_as_much_as_if_it_were_the_only_one():
    algorithm = maml(networks())
    train, batch = experience(algorithm, 2)
    data = advantages(networks(), train["params"], batch[:1], 0.99, 1.0)
    objective = meta_objective(networks(), train["hyper"], torch.func.grad)
    first = objective(train["params"], data[:, :2])["loss_objective"]
    second = objective(algorithm.adapt(train, batch[0, 0])["params"], data[:, 1:])["loss_objective"]
    assert_close(objective(train["params"], data)["loss_objective"], (first + second) / 2)
    assert first != second


def test_an_adaptation_makes_what_was_better_likelier_and_keeps_the_values():
    algorithm = maml(networks(), MAMLConfig(inner_rate=0.01))
    train, batch = experience(algorithm)
    one = batch[0, 0]
    after = algorithm.adapt(train, one)
    assert tree.flatten(after)[1] == tree.flatten(train)[1]
    same(after.exclude("params"), train.exclude("params"))
    same(after["params", "critic"], train["params", "critic"])
    worth = advantages(networks(), train["params"], one, 0.99, 1.0)["advantage"].squeeze(-1)
    before, now = (networks().distribution(x["params", "actor"], one).log_prob(one["action"]) for x in (train, after))
    assert (standardize(worth) * (now - before).sum(-1)).mean() > 0


def test_the_mean_over_tasks_is_what_is_minimised_so_that_their_order_does_not_matter():
    algorithm = maml(networks())
    train, batch = experience(algorithm)
    found, expected = (algorithm.update(train, x, random.key(2)) for x in (batch[[2, 0, 1]], batch))
    same(found, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("second_order", [True, False])
def test_vmap_over_seeds_equals_the_loop(second_order):
    algorithm = maml(networks(), MAMLConfig(second_order=second_order))
    _, batch = experience(algorithm)
    keys = random.split(random.key(5), 2)
    trains = [algorithm.init(key) for key in keys]
    together = torch.vmap(algorithm.update, (0, None, 0))(tree.stack(trains), batch, keys)
    for i, key in enumerate(keys):
        same(tree.map(lambda x, i=i: x[i], together), algorithm.update(trains[i], batch, key), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("second_order", [True, False])
def test_traced_equals_eager(second_order):
    algorithm = maml(networks(), MAMLConfig(second_order=second_order, num_epochs=2))
    train, batch = experience(algorithm)
    found, expected = (f(train, batch, random.key(3)) for f in (traced(algorithm.update), algorithm.update))
    same(found, expected, atol=1e-4, rtol=1e-4)


def test_nothing_is_written_into_the_inputs():
    algorithm = maml(networks())
    train, batch = experience(algorithm)
    with Purity(train, batch):
        algorithm.adapt(train, batch[0, 0])
        after, metrics = algorithm.update(train, batch, random.key(3))
    assert tree.flatten(after)[1] == tree.flatten(train)[1]
    assert all(x.shape == () for x in tree.leaves(metrics))


def test_the_length_of_a_step_is_a_leaf_with_a_gradient():
    algorithm = maml(networks())
    train, batch = experience(algorithm)

    def moved(rate):
        after = algorithm.adapt(train.set(("hyper", "inner_rate"), rate), batch[0, 0])
        return tree.ravel(after["params"])[0].square().sum()

    assert torch.func.grad(moved)(torch.tensor(0.1)) != 0
