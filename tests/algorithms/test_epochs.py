"""Passes over shuffled minibatches, on losses whose gradients are known."""

import pytest
import torch

from frl import TensorDict, optim, random, tree
from frl.algorithms.epochs import epochs

SGD = optim.sgd(0.5)


def state(optimizer: optim.Optimizer = SGD) -> TensorDict:
    params = TensorDict({"w": torch.zeros(2)})
    return TensorDict({"params": params, "opt": optimizer.init(tree.ravel(params)[0]), "other": torch.ones(())})


def data(*x: float) -> TensorDict:
    return TensorDict({"x": torch.tensor(x)}, len(x))


def pulled(params: TensorDict, batch: TensorDict) -> tuple[torch.Tensor, TensorDict]:
    """The gradient is minus the batch's mean in both parameters; the metric is its sum."""
    return -(params["w"] * batch["x"].mean()).sum(), TensorDict({"sum": batch["x"].sum()})


def run(sizes: tuple[int, int], *x: float) -> tuple[TensorDict, TensorDict]:
    return epochs(pulled, SGD, state(), data(*x), random.key(0), sizes)


def test_one_pass_of_one_minibatch_is_one_step_on_the_whole_batch() -> None:
    train, _ = run((1, 1), 1.0, 2.0, 3.0)
    assert train["params", "w"].tolist() == [1.0, 1.0]  # 0 + 0.5 · mean


def test_every_pass_sees_every_row_once() -> None:
    train, metrics = run((3, 2), 1.0, 2.0, 4.0, 8.0)
    assert metrics["sum"].item() == 7.5  # the mean over minibatches; each pass sums to 15 over its two
    assert train["params", "w"].tolist() == [11.25, 11.25]  # 0.5 · 3 passes · the sum of two means, 7.5


def test_the_key_alone_decides_the_order() -> None:
    def ordered(params: TensorDict, batch: TensorDict) -> tuple[torch.Tensor, TensorDict]:
        return params["w"].sum(), TensorDict({"order": batch["x"]})

    rows = torch.arange(8.0)
    seen, again, other = (
        epochs(ordered, SGD, state(), data(*rows.tolist()), random.key(seed), (1, 1))[1]["order"] for seed in (0, 0, 1)
    )
    assert sorted(seen.tolist()) == rows.tolist()
    assert torch.equal(seen, again)
    assert not torch.equal(seen, rows)
    assert not torch.equal(seen, other)


def test_a_step_starts_from_the_parameters_of_the_one_before() -> None:
    def quadratic(params: TensorDict, batch: TensorDict) -> tuple[torch.Tensor, TensorDict]:
        return 0.5 * (params["w"] - batch["x"].mean()).square().sum(), TensorDict({})

    train, _ = epochs(quadratic, SGD, state(), data(8.0, 8.0), random.key(0), (3, 1))
    assert train["params", "w"].tolist() == [7.0, 7.0]  # 0, 4, 6, 7: half of the way each time


def test_the_optimiser_goes_on_where_it_was() -> None:
    optimizer = optim.adam(0.1)
    train = state(optimizer)
    for passes in (1, 2):
        train, _ = epochs(pulled, optimizer, train, data(1.0, 1.0), random.key(0), (passes, 2))
    assert train["opt", "step"].item() == 6


def test_other_entries_of_the_state_stay() -> None:
    assert run((1, 1), 1.0)[0]["other"].item() == 1


def test_new_parameters_are_leaves_of_their_own_like_the_old_ones() -> None:
    params = TensorDict({"a": torch.zeros(2, 3), "b": torch.zeros(3)})
    train = TensorDict({"params": params, "opt": SGD.init(tree.ravel(params)[0])})
    after, _ = epochs(
        lambda p, _: (p["a"].sum() + p["b"].sum(), TensorDict({})), SGD, train, data(0.0), random.key(0), (1, 1)
    )
    a, b = after["params", "a"], after["params", "b"]
    assert (a.shape, b.shape) == ((2, 3), (3,))
    assert a.untyped_storage().data_ptr() != b.untyped_storage().data_ptr()


def test_a_loss_without_metrics_gives_none() -> None:
    _, metrics = epochs(lambda p, _: (p["w"].sum(), TensorDict({})), SGD, state(), data(1.0), random.key(0), (1, 1))
    assert len(metrics) == 0


def test_minibatches_must_divide_the_batch() -> None:
    with pytest.raises(ValueError, match="3 steps do not divide into 2 minibatches; choose environments × steps"):
        run((1, 2), 1.0, 2.0, 3.0)


def test_sequences_stay_whole() -> None:
    td = TensorDict({"x": torch.arange(12.0).reshape(4, 3)}, [4, 3])
    shown = epochs(lambda p, b: (p["w"].sum(), TensorDict({"x": b["x"]})), SGD, state(), td, random.key(0), (1, 1))[1]
    assert sorted(shown["x"].tolist()) == td["x"].tolist()
    with pytest.raises(ValueError, match="4 sequences do not divide into 3 minibatches; choose the environments"):
        epochs(lambda p, b: (p["w"].sum(), TensorDict({})), SGD, state(), td, random.key(0), (1, 3))
