"""What algorithms of several critics share: who moves when."""

import torch

from frl import TensorDict, random
from frl.algorithms.delayed import begin, improve

SETTINGS = {
    "learning_rate": 0.1,
    "anneal_updates": 0.0,
    "max_grad_norm": 10.0,
    "policy_period": 2.0,
    "target_rate": 1.0,
    "target_period": 3.0,
}


def start(**settings):
    params = TensorDict({"actor": {"w": torch.ones(1)}, "qvalue": {"w": torch.ones(2, 1)}})
    return begin(params, ("qvalue",), {**SETTINGS, **settings})


def loss(params, batch, key):
    value = params["qvalue", "w"].sum()
    losses = {"loss_actor": params["actor", "w"].sum(), "loss_qvalue": value, "pred_value": value.detach()}
    return TensorDict({**losses, "target_value": value.detach(), "td_error": torch.zeros(3)})


def run(train, num_updates):
    seen = []
    for _ in range(num_updates):
        train, metrics = improve(loss, train, TensorDict({}), random.key(0))
        seen.append(train)
    return seen, metrics


def test_critics_move_at_each_update_and_the_policy_at_every_second():
    seen, _ = run(start(), 4)
    assert [round(x["params", "qvalue", "w"][0].item(), 2) for x in seen] == [0.9, 0.8, 0.7, 0.6]
    assert [round(x["params", "actor", "w"].item(), 2) for x in seen] == [1.0, 0.9, 0.9, 0.8]


def test_where_the_policy_does_not_move_neither_does_its_optimizer():
    (first, second), _ = run(start(), 2)
    moments = [[x for _, x in train["opt", "policy"].items(True, True)] for train in (first, second)]
    assert all(not x.any() for x in moments[0])
    assert all(x.any() for x in moments[1])


def test_targets_follow_at_their_own_period():
    seen, _ = run(start(), 3)
    assert [round(x["params", "target", "qvalue", "w"][0].item(), 2) for x in seen] == [1.0, 1.0, 0.7]
    assert list(seen[0]["params", "target"]) == ["qvalue"]


def test_the_learning_rate_falls_to_zero_where_that_is_wanted():
    seen, metrics = run(start(anneal_updates=2.0), 3)
    assert metrics["learning_rate"].item() == 0.0
    assert torch.equal(seen[2]["params", "qvalue", "w"], seen[1]["params", "qvalue", "w"])


def test_metrics_are_the_losses_and_the_mean_value():
    _, metrics = run(start(), 1)
    assert set(metrics) == {"loss_actor", "loss_qvalue", "value", "learning_rate", "td_error"}
