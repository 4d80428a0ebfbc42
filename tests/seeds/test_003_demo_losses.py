"""Seed document 003, its losses: those of DDPG, as functions of parameters and a batch.

The batch is drawn, so the losses themselves are replaced by their law: the equations of DDPG, written out.
"""

import torch
from torch import nn

from frl import TensorDict, tree
from frl.nn import TensorDictModule
from frl.objectives import DDPGLoss
from tests.seeds.printed import printed


class ConcatModule(nn.Linear):
    def forward(self, obs, action):
        return super().forward(torch.cat([obs, action], -1))


def losses():
    actor = TensorDictModule(nn.Linear(3, 1), in_keys=["observation"], out_keys=["action"])
    value = TensorDictModule(ConcatModule(4, 1), in_keys=["observation", "action"], out_keys=["state_action_value"])
    loss = DDPGLoss(actor, value)
    return loss.make_value_estimator(loss.default_value_estimator, gamma=0.99)


def batch():
    after = {
        "observation": torch.randn(10, 3),
        "reward": torch.randn(10, 1),
        "done": torch.zeros(10, 1, dtype=torch.bool),
    }
    source = {"observation": torch.randn(10, 3), "next": after, "action": torch.randn(10, 1)}
    return TensorDict(source, batch_size=[10], device="cpu")


BATCH = {
    "action": "float32 10 1",
    "next": printed({"done": "bool 10 1", "observation": "float32 10 3", "reward": "float32 10 1"}, [10], "cpu"),
    "observation": "float32 10 3",
}


def test_a_plain_dict_in_a_batch_has_its_batch_size_and_device():
    assert repr(batch()) == printed(BATCH, [10], "cpu")


def test_the_losses_are_named():
    loss = losses()
    assert repr(loss(loss.init(), batch())) == printed(
        {
            "loss_actor": "float32",
            "loss_value": "float32",
            "pred_value": "float32 10",
            "pred_value_max": "float32",
            "target_value": "float32 10",
            "target_value_max": "float32",
            "td_error": "float32 10",
        },
        [],
    )


def test_the_losses_are_those_of_ddpg():
    loss, td = losses(), batch()
    said = loss(loss.init(), td)
    with torch.no_grad():
        after = td["next"]
        q = loss.value(td)["state_action_value"].squeeze(-1)
        following = loss.value(loss.actor(after))["state_action_value"].squeeze(-1)
        target = after["reward"].squeeze(-1) + 0.99 * following  # nothing has ended
        policy = loss.value(loss.actor(td))["state_action_value"]
    torch.testing.assert_close(said["pred_value"], q)
    torch.testing.assert_close(said["target_value"], target)
    torch.testing.assert_close(said["td_error"], (q - target).abs())
    torch.testing.assert_close(said["loss_value"], ((q - target) ** 2).mean())
    torch.testing.assert_close(said["loss_actor"], -policy.mean())
    assert said["pred_value_max"] == q.max()
    assert said["target_value_max"] == said["target_value"].max()


def test_done_alone_is_taken_for_terminated():
    loss, td = losses(), batch()
    ended = td.set(("next", "done"), torch.ones(10, 1, dtype=torch.bool))
    assert torch.equal(loss(loss.init(), ended)["target_value"], td["next", "reward"].squeeze(-1))


def test_the_td_error_is_added_to_another_batch():
    loss, td = losses(), batch()
    said = loss(loss.init(), td)
    assert repr(td.set("td_error", said["td_error"])) == printed({**BATCH, "td_error": "float32 10"}, [10], "cpu")
    assert "td_error" not in td


def test_each_loss_has_a_gradient_for_its_own_network():
    loss, td = losses(), batch()
    params = loss.init()
    for name, own in (("loss_actor", "actor"), ("loss_value", "value")):
        grads = torch.func.grad(lambda params, name=name: loss(params, td)[name])(params)
        moved = {key for key in ("actor", "value", "target") if any(x.any() for x in tree.leaves(grads[key]))}
        assert moved == {own}


def test_what_comes_of_a_step_has_gradients_for_where_it_began_and_for_its_discount():
    loss, td = losses(), batch()

    def after_a_step(params, gamma):
        estimated = loss.make_value_estimator(gamma=gamma)
        grads = torch.func.grad(lambda params: estimated(params, td)["loss_value"])(params)
        return loss(params - 0.1 * grads, td)["loss_value"]

    params, gamma = loss.init(), torch.tensor(0.9)
    by_params, by_gamma = torch.func.grad(after_a_step, (0, 1))(params, gamma)
    assert any(x.any() for x in tree.leaves(by_params["value"]))
    slope = (after_a_step(params, gamma + 1e-2) - after_a_step(params, gamma - 1e-2)) / 2e-2
    torch.testing.assert_close(by_gamma, slope, atol=1e-3, rtol=1e-2)
