import torch

from frl import optim


def path(optimizer, start, grads):
    params, state, values = torch.tensor(start), None, []
    state = optimizer.init(params)
    for grad in grads:
        params, state = optim.step(optimizer, torch.tensor(grad), state, params)
        values.append(params.item())
    return values


def test_plain_descent_subtracts_the_rate_times_the_gradient():
    assert path(optim.sgd(0.5), 1.0, [2.0, -1.0]) == [0.0, 0.5]


def test_momentum_sums_past_gradients():
    assert path(optim.sgd(1.0, momentum=0.5), 0.0, [4.0, 0.0, 0.0]) == [-4.0, -6.0, -7.0]


def test_nesterov_looks_one_step_ahead():
    assert path(optim.sgd(1.0, momentum=0.5, nesterov=True), 0.0, [4.0, 0.0]) == [-6.0, -7.0]  # 4 + 0.5·4, then 0.5·2


def test_weight_decay_pulls_towards_zero():
    assert path(optim.sgd(0.5, weight_decay=0.5), 4.0, [0.0, 0.0]) == [3.0, 2.25]


def test_without_momentum_the_state_is_the_count_alone():
    assert list(optim.sgd(0.1).init(torch.ones(3))) == ["step"]
