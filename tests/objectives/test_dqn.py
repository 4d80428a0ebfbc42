"""The loss of deep Q-learning, by numbers that can be reckoned by hand and by laws."""

import pytest
import torch
from torch import nn

from frl import TensorDict, functional, random, tree
from frl.nn import GRUModule, TensorDictModule, TensorDictSequential, functional_call, initialize, over_time
from frl.objectives import DQNLoss, ValueEstimators, td0, td_lambda
from frl.specs import Categorical, OneHot


class Table(nn.Module):
    """Q(s, ·) is row s of a table."""

    def __init__(self, rows):
        super().__init__()
        self.rows = nn.Parameter(torch.tensor(rows))

    def forward(self, state):
        return self.rows[state]


def loss_of(**settings):
    network = TensorDictModule(Table([[1.0, 2.0], [3.0, 5.0]]), ["state"], ["action_value"])
    settings = {"action_space": OneHot(2), "value_estimator": td0(0.5), **settings}
    return DQNLoss(network, **settings)


def batch(terminated=False):
    after = {"state": torch.tensor([1]), "reward": torch.ones(1, 1), "terminated": torch.tensor([[terminated]])}
    return TensorDict({"state": torch.tensor([0]), "action": torch.tensor([[1, 0]]), "next": after}, [1])


def test_the_error_is_that_of_the_chosen_value_against_the_best_next_one():
    losses = loss_of()(loss_of().init(), batch())
    assert losses["pred_value"].tolist() == [1.0]
    assert losses["target_value"].tolist() == [3.5]  # 1 + 0.5·5
    assert losses["td_error"].tolist() == [2.5]
    assert losses["loss"].item() == 6.25


def test_nothing_comes_after_termination():
    assert loss_of()(loss_of().init(), batch(terminated=True))["target_value"].tolist() == [1.0]


def test_the_target_is_of_the_target_parameters():
    params = loss_of().init().set(("target", "value", "module", "rows"), torch.zeros(2, 2))
    assert loss_of()(params, batch())["target_value"].tolist() == [1.0]


def test_double_dqn_takes_the_best_of_the_trained_and_its_value_of_the_target():
    rows = torch.tensor([[0.0, 0.0], [9.0, 7.0]])
    params = loss_of().init().set(("target", "value", "module", "rows"), rows)
    assert loss_of()(params, batch())["target_value"].tolist() == [5.5]  # 1 + 0.5·9
    assert loss_of(double_dqn=True)(params, batch())["target_value"].tolist() == [4.5]  # 1 + 0.5·7


def test_the_loss_has_a_gradient_for_a_discount_that_is_a_tensor():
    gradient = torch.func.grad(lambda gamma: loss_of(value_estimator=td0(gamma))(loss_of().init(), batch())["loss"])
    assert gradient(torch.tensor(0.5)).item() == 25.0  # of (1 − 1 − 5 γ)²


def test_without_delay_there_is_no_target_and_still_no_gradient_through_it():
    loss = loss_of(delay_value=False)
    assert list(loss.init()) == ["value"]
    grads = torch.func.grad(lambda p: loss(p, batch())["loss"])(loss.init())
    assert grads["value", "module", "rows"].tolist() == [[-5.0, 0.0], [0.0, 0.0]]  # 2·(1 − 3.5)


def test_gradients_reach_the_trained_parameters_alone():
    grads = torch.func.grad(lambda p: loss_of()(p, batch())["loss"])(loss_of().init())
    assert not grads["target", "value", "module", "rows"].any()
    assert grads["value", "module", "rows"].any()


def test_weights_of_prioritised_replay_count():
    weighted = batch().set("_weight", torch.tensor([0.5]))
    assert loss_of()(loss_of().init(), weighted)["loss"].item() == 3.125


def test_steps_outside_the_mask_do_not_count():
    two = torch.stack([batch(), batch().set(("next", "reward"), torch.full((1, 1), torch.inf))], 1)
    losses = loss_of()(loss_of().init(), two.set("mask", torch.tensor([[True, False]])))
    assert losses["loss"].item() == 6.25
    assert losses["td_error"].tolist() == [[2.5, 0.0]]


def test_a_return_does_not_go_on_behind_the_mask():
    late = batch().set(("next", "reward"), torch.full((1, 1), 8.0))
    three = torch.stack([batch(), batch(), late], 1)  # rewards 1, 1, 8
    loss = loss_of(value_estimator=td_lambda(0.5, 1.0))
    whole = loss(loss.init(), three)["target_value"]
    assert whole.tolist() == [[4.125, 6.25, 10.5]]  # 8 + 0.5·5, then 1 + 0.5 of what follows
    cut = loss(loss.init(), three.set("mask", torch.tensor([[True, True, False]])))["target_value"]
    assert cut[0, :2].tolist() == [2.75, 3.5]  # 1 + 0.5·5, then 1 + 0.5·3.5


def test_another_distance_may_be_given():
    losses = loss_of(distance=lambda error: error.abs())(loss_of().init(), batch())
    assert losses["loss"].item() == 2.5


def test_an_index_or_a_name_says_how_actions_are_written():
    index = batch().set("action", torch.tensor([0]))
    for space in (Categorical(2), "categorical"):
        assert loss_of(action_space=space)(loss_of().init(), index)["td_error"].tolist() == [2.5]


def test_an_estimator_has_a_name():
    named = loss_of().make_value_estimator(ValueEstimators.TDLambda, gamma=0.5, lambda_=0.0)
    assert named(named.init(), batch())["target_value"].tolist() == [3.5]


def test_a_batch_without_an_action_is_refused_by_name():
    with pytest.raises(KeyError, match="DQNLoss: the batch has no entry 'action'"):
        loss_of()(loss_of().init(), batch().exclude("action"))


def test_a_recurrent_network_reads_sequences_and_its_successors_from_their_true_states():
    with torch.random.fork_rng():
        network = TensorDictSequential(GRUModule(2, 3), TensorDictModule(nn.Linear(3, 2), ["embed"], ["action_value"]))
    loss = DQNLoss(network, "categorical").make_value_estimator(gamma=0.5)
    params = initialize(network, random.key(0))
    seen = random.normal((4, 6, 2), random.key(1))
    start = torch.zeros(4, 5, 1, dtype=torch.bool)
    after = {"embed": seen[:, 1:], "is_init": start, "reward": torch.zeros(4, 5, 1), "terminated": start}
    td = TensorDict(
        {"embed": seen[:, :-1], "is_init": start, "action": torch.zeros(4, 5, dtype=torch.int64), "next": after}, [4, 5]
    )
    values = TensorDict({"embed": seen, "is_init": torch.zeros(4, 6, 1, dtype=torch.bool)}, [4, 6])
    whole = functional_call(over_time(network), params, values)["action_value"]
    losses = loss(TensorDict({"value": params, "target": {"value": params}}), td)
    torch.testing.assert_close(losses["pred_value"], whole[:, :-1, 0])
    torch.testing.assert_close(losses["target_value"], 0.5 * whole[:, 1:].amax(-1))


def test_vmapped_over_members_it_is_the_loss_of_each():
    loss = loss_of(distance=functional.huber) if hasattr(functional, "huber") else loss_of()
    members = tree.stack([loss.init(), tree.map(lambda x: x + 1, loss.init())])
    together = torch.vmap(loss, (0, None))(members, batch())["loss"]
    for i in range(2):
        alone = loss(tree.map(lambda x, i=i: x[i], members), batch())["loss"]
        torch.testing.assert_close(together[i], alone)
