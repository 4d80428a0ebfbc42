"""What the optimizer tests share: the table of optimizers, and a problem to step through."""

import torch

from frl import optim

OPTIMIZERS = {
    "sgd": (optim.sgd, torch.optim.SGD, {}),
    "sgd weight decay": (optim.sgd, torch.optim.SGD, {"weight_decay": 0.1}),
    "sgd momentum": (optim.sgd, torch.optim.SGD, {"momentum": 0.9}),
    "sgd momentum weight decay": (optim.sgd, torch.optim.SGD, {"momentum": 0.5, "weight_decay": 0.01}),
    "sgd nesterov": (optim.sgd, torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "sgd nesterov weight decay": (
        optim.sgd,
        torch.optim.SGD,
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    ),
    "adam": (optim.adam, torch.optim.Adam, {}),
    "adam betas": (optim.adam, torch.optim.Adam, {"betas": (0.5, 0.9)}),
    "adam without averages": (optim.adam, torch.optim.Adam, {"betas": (0.0, 0.0)}),
    "adam eps": (optim.adam, torch.optim.Adam, {"eps": 1e-3}),
    "adam weight decay": (optim.adam, torch.optim.Adam, {"weight_decay": 0.1}),
    "amsgrad": (optim.adam, torch.optim.Adam, {"amsgrad": True, "betas": (0.9, 0.9)}),
    "rmsprop": (optim.rmsprop, torch.optim.RMSprop, {}),
    "rmsprop alpha": (optim.rmsprop, torch.optim.RMSprop, {"alpha": 0.5, "eps": 1e-3}),
    "rmsprop weight decay": (optim.rmsprop, torch.optim.RMSprop, {"weight_decay": 0.1}),
    "rmsprop momentum": (optim.rmsprop, torch.optim.RMSprop, {"momentum": 0.9}),
    "rmsprop centered": (optim.rmsprop, torch.optim.RMSprop, {"centered": True, "eps": 1e-3}),
    "rmsprop of all": (
        optim.rmsprop,
        torch.optim.RMSprop,
        {"alpha": 0.9, "eps": 1e-2, "centered": True, "momentum": 0.5, "weight_decay": 0.01},
    ),
    "adamw": (optim.adamw, torch.optim.AdamW, {}),
    "adamw weight decay": (optim.adamw, torch.optim.AdamW, {"weight_decay": 0.3, "betas": (0.8, 0.95)}),
    "adamw amsgrad": (optim.adamw, torch.optim.AdamW, {"amsgrad": True, "betas": (0.9, 0.5)}),
}


def parameters(dtype=torch.float64):
    """Weights, a bias and a scalar, of mixed signs and sizes."""
    w = torch.linspace(-2.0, 3.0, 12, dtype=torch.float64).reshape(3, 4)
    values = {"w": w, "b": torch.tensor([0.1, -0.01, 10.0, 0.0]), "log_alpha": torch.tensor(0.5)}
    return {name: value.to(dtype) for name, value in values.items()}


def loss(params, i):
    """Rough in i, so that gradients change in sign and scale; its gradient at b[3] is exactly zero."""
    waves = torch.cos(params["w"] * (i % 7) + i)
    bias = params["b"][:3]
    return (waves.square().sum() + (bias * torch.sin(bias + i)).sum()) * params["log_alpha"].exp()


gradient = torch.func.grad(loss)


def run(optimizer, params, num_steps, state=None):
    state = optimizer.init(params) if state is None else state
    for i in range(num_steps):
        params, state = optim.step(optimizer, gradient(params, torch.tensor(float(i))), state, params)
    return params, state


def run_torch(make, params, num_steps, before_step=lambda leaves: None, make_scheduler=None):
    leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
    optimizer = make(leaves.values())
    scheduler = make_scheduler(optimizer) if make_scheduler else None
    for i in range(num_steps):
        grads = gradient({name: leaf.detach() for name, leaf in leaves.items()}, torch.tensor(float(i)))
        for name, leaf in leaves.items():
            leaf.grad = grads[name].clone()
        before_step(leaves.values())
        optimizer.step()
        if scheduler:
            scheduler.step()
    return {name: leaf.detach() for name, leaf in leaves.items()}


def largest_difference(x, y):
    return max((x[name] - y[name]).abs().max().item() for name in y)
