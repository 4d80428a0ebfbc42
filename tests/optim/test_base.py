import pytest
import torch

from frl import optim, tree
from tests.optim.problems import gradient, parameters, run


def test_an_empty_chain_leaves_the_gradients_as_they_are():
    grads = torch.tensor([1.0, 2.0])
    assert optim.chain().update(grads, {}, None) == (grads, {})


def test_a_chain_applies_its_optimizers_from_left_to_right():
    params, grads = torch.tensor([0.0]), torch.tensor([8.0])
    clip, halve = optim.clip_by_value(1.0), optim.stateless(lambda g: g / 2)
    assert optim.chain(clip, halve).update(grads, {"0": {}, "1": {}}, params)[0].item() == 0.5
    assert optim.chain(halve, clip).update(grads, {"0": {}, "1": {}}, params)[0].item() == 1.0


def test_a_chain_numbers_the_states_of_its_parts():
    chained = optim.chain(optim.clip_by_value(1.0), optim.chain(optim.sgd(0.1, momentum=0.9)))
    state = chained.init({"w": torch.zeros(2)})
    assert [name for name, _ in tree.named_leaves(state)] == ["1.0.step", "1.0.velocity.w"]


def test_a_chain_is_associative():
    a, b, c = optim.clip_by_global_norm(0.5), optim.stateless(lambda g: tree.map(torch.neg, g)), optim.adam(0.1)
    left = run(optim.chain(optim.chain(a, b), c), parameters(), 3)[0]
    right = run(optim.chain(a, optim.chain(b, c)), parameters(), 3)[0]
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_step_is_update_then_apply():
    optimizer, params = optim.adam(0.1), parameters()
    grads, state = gradient(params, torch.tensor(1.0)), optimizer.init(params)
    updates, expected_state = optimizer.update(grads, state, params)
    new_params, new_state = optim.step(optimizer, grads, state, params)
    expected = optim.apply_updates(params, updates), expected_state
    assert all(torch.equal(a, b) for a, b in zip(*map(tree.leaves, ((new_params, new_state), expected)), strict=True))


def test_a_learning_rate_may_be_any_function_of_the_integer_step():
    table = torch.tensor([1.0, 0.0, 0.5])
    optimizer, params = optim.sgd(lambda step: table[step]), torch.tensor(0.0)
    state, path = optimizer.init(params), []
    for _ in range(3):
        params, state = optim.step(optimizer, torch.tensor(1.0), state, params)
        path.append(params.item())
    assert path == [-1.0, -1.0, -1.5]


BAD_GRADIENTS = {
    "another key": ({"a": torch.ones(3)}, 'tree.map: the trees differ: "a" is only in the first'),
    "a shape that would broadcast": (
        {"w": torch.ones(3, 1)},
        'grads has float32 [3, 1] at "w" but params has float32 [3];',
    ),
    "another dtype": ({"w": torch.ones(3).double()}, 'grads has float64 [3] at "w" but params has float32 [3];'),
}


@pytest.mark.parametrize("optimizer", [optim.sgd(0.1), optim.adam(0.1)], ids=["sgd", "adam"])
@pytest.mark.parametrize(("grads", "message"), BAD_GRADIENTS.values(), ids=BAD_GRADIENTS.keys())
def test_gradients_unlike_the_parameters_are_refused_by_path(optimizer, grads, message):
    params = {"w": torch.zeros(3)}
    with pytest.raises(ValueError, match=r'"\w"') as error:
        optim.step(optimizer, grads, optimizer.init(params), params)
    assert message in str(error.value)


def test_updates_unlike_the_parameters_are_refused_by_path():
    with pytest.raises(
        ValueError, match=r'apply_updates: updates has float32 \[1\] at "w" but params has float32 \[\];'
    ):
        optim.apply_updates({"w": torch.zeros(())}, {"w": torch.zeros(1)})
