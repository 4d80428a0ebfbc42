"""One step down a gradient, and the learning rate on the way."""

import torch

from frl import TensorDict, optim, tree
from frl.algorithms.gradient import descend, learn_once, leaves_of, linear_to_zero, minimized


def test_a_step_is_that_of_the_optimizer_leaf_by_leaf():
    params = TensorDict({"a": torch.tensor([1.0, 2.0]), "b": {"c": torch.tensor(3.0)}})
    optimizer = optim.adam(0.1)

    def loss(params):
        return (params["a"] ** 2).sum() + params["b", "c"] ** 3, TensorDict({"seen": params["b", "c"]})

    opt = TensorDict(optimizer.init(tree.ravel(params)[0]))
    after, _, said = descend(loss, optimizer, params, opt)
    grads = torch.func.grad(lambda p: loss(p)[0])(params)
    expected, _ = optim.step(optimizer, grads, optimizer.init(params), params)
    for x, y in zip(tree.leaves(after), tree.leaves(expected), strict=True):
        torch.testing.assert_close(x, y)
    assert said["seen"].item() == 3.0


def test_the_new_parameters_are_leaves_of_their_own():
    params = TensorDict({"a": torch.ones(2), "b": torch.ones(2)})
    optimizer = optim.sgd(0.1)
    opt = TensorDict(optimizer.init(tree.ravel(params)[0]))
    after, _, _ = descend(lambda p: (p["a"].sum() * 1.0, TensorDict({})), optimizer, params, opt)
    assert after["a"].untyped_storage().nbytes() == 8


def test_a_rate_falls_to_zero_and_not_below():
    rates = [linear_to_zero(torch.tensor(1.0), torch.tensor(u), torch.tensor(4.0)).item() for u in (0.0, 3.0, 9.0)]
    assert rates == [1.0, 0.25, 0.0]


def test_hyperparameters_are_leaves():
    assert {name: x.item() for name, x in leaves_of({"gamma": 1, "clip": 0.5}).items()} == {"gamma": 1.0, "clip": 0.5}


def test_a_loss_of_many_names_is_minimised_by_its_loss():
    loss = minimized(lambda params, batch: TensorDict({"loss": params["w"] * batch["x"], "entropy": batch["x"]}))
    total, said = loss({"w": torch.tensor(2.0)}, TensorDict({"x": torch.tensor(3.0)}))
    assert (total.item(), list(said), said["entropy"].item()) == (6.0, ["entropy"], 3.0)


def test_learning_once_changes_parameters_and_optimiser_alone():
    params, optimizer = TensorDict({"w": torch.tensor(3.0)}), optim.adam(0.5)
    train = TensorDict({"params": params, "opt": optimizer.init(tree.ravel(params)[0]), "other": torch.ones(())})
    after, said = learn_once(lambda p, batch: TensorDict({"loss": p["w"] * 1.0}), optimizer, train, TensorDict({}))
    assert (after["params", "w"].item(), after["opt", "step"].item(), after["other"].item()) == (2.5, 1, 1.0)
    assert len(said) == 0
