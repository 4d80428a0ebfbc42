"""Several passes over one batch in shuffled minibatches, as on-policy algorithms make them."""

import torch
from torch import Tensor

from frl import control, optim, random, tree
from frl.algorithms.base import Loss
from frl.tensordict import TensorDict


def epochs(
    loss: Loss,
    optimizer: optim.Optimizer,
    train: TensorDict,
    data: TensorDict,
    key: Tensor,
    sizes: tuple[int, int],
) -> tuple[TensorDict, TensorDict]:
    """Minimises `loss` over `data` in `sizes` = (passes, minibatches of each pass).

    `data` is [B], single steps, or [B, T], whole sequences; a minibatch is some of its rows.

    Gradients are taken of the parameters' leaves and laid end to end, so that the optimiser is one operation on one
    vector, and `train["opt"]` is its state for that vector. All passes are gathered beforehand: memory for `data` once
    for each of them.

    Returns: `train` with new "params" and "opt", and the metrics of `loss`, averaged over all minibatches.
    Raises: ValueError if the batch does not divide into the minibatches.
    """
    num_epochs, num_minibatches = sizes
    batch_size = data.batch_size[0]
    if batch_size % num_minibatches:
        rows, number = ("steps", "environments × steps") if data.batch_dims == 1 else ("sequences", "the environments")
        raise ValueError(
            f"epochs: {batch_size} {rows} do not divide into {num_minibatches} minibatches; choose {number} as a "
            "multiple of the minibatches."
        )
    order = random.permutation(batch_size, random.split(key, num_epochs))
    flat, unravel = tree.ravel(train["params"])

    def body(carry: tuple[Tensor, TensorDict], minibatch: TensorDict) -> tuple[tuple[Tensor, TensorDict], TensorDict]:
        flat, opt = carry
        grads, metrics = torch.func.grad(loss, has_aux=True)(unravel(flat), minibatch)
        updates, opt = optimizer.update(tree.ravel(grads)[0], opt, flat)
        return (flat + updates, TensorDict(opt)), metrics

    # gathered at once: one large operation for each entry instead of a small one in every step
    minibatches = data[order.reshape(num_epochs * num_minibatches, batch_size // num_minibatches)]
    (flat, opt), metrics = control.scan(body, (flat, train["opt"]), minibatches)
    params = tree.map(torch.clone, unravel(flat))  # leaves of their own, not views of one vector
    return train.set("params", params).set("opt", opt), tree.map(lambda x: x.mean(0), metrics)
