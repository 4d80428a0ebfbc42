"""Meta-gradients: a training that learns its own hyperparameters, by a gradient through its updates."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from frl import check, control, optim, random, tree
from frl.algorithms import ActorCritic, Algorithm
from frl.algorithms.advantages import advantages, rows
from frl.algorithms.gradient import descend
from frl.algorithms.networks import carried_on
from frl.algorithms.ranges import is_fraction
from frl.collectors import collect, start
from frl.envs import Env
from frl.objectives import A2CLoss
from frl.objectives.actor_critic import value_loss
from frl.tensordict import TensorDict
from frl.training.loop import Loop, begin, episode_statistics

Update = Callable[[TensorDict, TensorDict, Tensor], tuple[TensorDict, TensorDict]]
"""`update(train, batch, key) -> (train, metrics)`, as of an `Algorithm`."""

# a short memory of squares: one large meta-gradient would else shorten hundreds of steps
_OPTIMIZER = optim.adam(0.2, betas=(0.9, 0.9))


class Reference(NamedTuple):
    """What hyperparameters are learned for: an objective whose own numbers stay, as three pure functions of a state.

    init: `init(key) -> state`. loss: `loss(state, params, batch) -> loss`, of the parameters that the algorithm has
        learned, on a batch [*B, T] that these have collected. update: `update(state, batch) -> state`, what the
        reference itself learns of a batch.
    """

    init: Callable[[Tensor], TensorDict]
    loss: Callable[[TensorDict, Any, TensorDict], Tensor]
    update: Callable[[TensorDict, TensorDict], TensorDict]


def meta_gradient(
    env: Env,
    algorithm: Algorithm,
    reference: Reference,
    num_steps: int,
    num_updates: int,
    learned: Sequence[str] = ("gamma", "lambda_"),
    optimizer: optim.Optimizer = _OPTIMIZER,
) -> Loop:
    """The loop of an on-policy algorithm that learns the hyperparameters `learned` while it trains.

    A step of the loop is `num_updates` + 1 steps of `on_policy`, after which the hyperparameters take one step of
    `optimizer`. Theirs is a gradient through all updates but the last, optimiser included, of the reference's loss of
    the last batch: it is fresh, collected by what the other batches made of the policy. In all of this, batches are
    data.

    Hyperparameters in [0, 1] move in their logit, others in their logarithm, kept within ±10 and ±20. What they are is
    in `train["hyper"]` alone: `vary` says where the members of a population begin.

    Args: algorithm: one whose update can be differentiated, such as `a2c` or `ppo`. reference: such as
        `policy_gradient_reference`. num_steps: of each environment, in a batch. learned: leaves of `train["hyper"]`.
    Returns: a loop whose state has one entry more, "meta", with the states of `optimizer` and of the reference. Metrics
        are those of the last update, with "meta_loss" and each learned hyperparameter.
    Raises: ValueError if a number is below 1 or nothing is to be learned; KeyError, at `init`, for a name that is no
        such leaf.
    Source: Xu, van Hasselt & Silver (2018), arXiv:1805.09801, with the whole gradient of the updates.
    """
    check.at_least("meta_gradient", {"num_steps": num_steps, "num_updates": num_updates}, 1)
    learned = _names(learned)

    def init(key: Tensor) -> TensorDict:
        k_train, k_env, key, k_reference = random.split(key, 4)
        train = algorithm.init(k_train)
        _require(train["hyper"], learned)
        meta = {"opt": optimizer.init(_free(train["hyper"], learned)), "reference": reference.init(k_reference)}
        return begin(train, start(env, k_env), key).set("meta", TensorDict(meta))

    def once(carry: _Carry, _: Tensor) -> tuple[_Carry, tuple[TensorDict, ...]]:
        train, runner, key, own = carry
        key, k_collect, k_update = random.split(key, 3)
        runner, batch = collect(env, algorithm.act, train, runner, k_collect, num_steps)
        updated, metrics = algorithm.update(train, batch, k_update)
        given = TensorDict({"train": train, "key": k_update, "reference": own})
        return (updated, runner, key, reference.update(own, batch)), (given, batch, metrics)

    def step(state: TensorDict) -> tuple[TensorDict, TensorDict]:
        carry = (state["train"], state["runner"], state["key"], state["meta", "reference"])
        (train, runner, key, own), history = control.scan(once, carry, length=num_updates + 1)
        given, batches, metrics = history
        last, batch, metrics = tree.map(lambda x: x[-1], history)

        def loss(params: Any) -> Tensor:
            return reference.loss(last["reference"], params, batch)

        grads, value = torch.func.grad_and_value(loss)(last["train", "params"])
        before, seen = tree.map(lambda x: x[:-1], (given, batches))
        wanted = gradient_through(algorithm.update, before["train"], seen, before["key"], last["train"], grads)
        hyper, opt = _moved(train["hyper"], wanted["hyper"], optimizer, state["meta", "opt"], learned)
        stats = episode_statistics(state["stats"], batches["next"])
        counted = {"key": key, "step": state["step"] + batches.numel(), "stats": stats}
        meta = {"opt": opt, "reference": own}
        metrics = metrics.update({"meta_loss": value, **hyper.select(*learned)}).update(stats)
        return TensorDict({"train": train.set("hyper", hyper), "runner": runner, **counted, "meta": meta}), metrics

    return Loop(init, step)


_Carry = tuple[TensorDict, TensorDict, Tensor, TensorDict]


def policy_gradient_reference(
    networks: ActorCritic, gamma: float = 0.99, lambda_: float = 0.95, learning_rate: float = 1e-3
) -> Reference:
    """The policy's part of A2C's loss, with a discount and a λ that stay, and values of its own, learned for these.

    The algorithm's own values are those of the discount that it has at the time, and would not tell what lies beyond.

    Args: networks: the algorithm's; the critic without a memory. learning_rate: of the values, by Adam, one step for
        each batch.
    Raises: ValueError for a number out of range or a critic with a memory.

    >>> from frl import specs
    >>> from frl.algorithms import actor_critic
    >>> networks = actor_critic(specs.Composite({"observation": specs.Unbounded(3)}), specs.OneHot(2), (4,))
    >>> sorted(policy_gradient_reference(networks, gamma=1.0).init(random.key(0)))
    ['critic', 'opt']
    """
    rates = {"gamma": gamma, "lambda_": lambda_}
    check.at_least("policy_gradient_reference", {**rates, "learning_rate": learning_rate}, 0)
    check.at_most("policy_gradient_reference", rates, 1)
    if carried_on(networks.critic):
        raise ValueError(
            "policy_gradient_reference: the critic has a memory, whose states in the batch are the algorithm's; pass "
            "networks whose critic has none."
        )
    policy_loss = A2CLoss(networks.actor, networks.critic, critic_coeff=0.0, entropy_coeff=0.0)
    optimizer = optim.adam(learning_rate)

    def targets(own: TensorDict, batch: TensorDict) -> TensorDict:
        return rows(networks, advantages(networks, own, batch, gamma, lambda_))

    def init(key: Tensor) -> TensorDict:
        critic = networks.init(key)["critic"]
        return TensorDict({"critic": critic, "opt": optimizer.init(tree.ravel(critic)[0])})

    def loss(own: TensorDict, params: Any, batch: TensorDict) -> Tensor:
        return policy_loss(params, targets(own, batch))["loss"]

    def update(own: TensorDict, batch: TensorDict) -> TensorDict:
        data = targets(own, batch)

        def error(critic: Any) -> tuple[Tensor, TensorDict]:
            return value_loss(networks.critic, critic, data), TensorDict({})

        critic, opt, _ = descend(error, optimizer, own["critic"], own["opt"])
        return own.update({"critic": critic, "opt": opt})

    return Reference(init, loss, update)


def gradient_through(
    update: Update, trains: TensorDict, batches: TensorDict, keys: Tensor, last: TensorDict, grads: TensorDict
) -> TensorDict:
    """The gradient for the state before K updates of what has the gradient `grads` for the parameters after them.

    It is a loop from the last update to the first, which computes each of them again: its memory is that of K states
    and batches, and the time to compile it does not grow with K.

    Args: trains, batches, keys: [K, ...], what each update was given. last: the state after all of them.
    Returns: a tree like `last`, with zeros for what has no gradient, counts and keys.

    >>> update = lambda train, batch, key: (train.set("params", train["params"] * train["hyper"]), TensorDict({}))
    >>> trains = TensorDict({"params": torch.tensor([2.0, 6.0]), "hyper": torch.tensor([3.0, 3.0])}, [2])
    >>> last = TensorDict({"params": torch.tensor(18.0), "hyper": torch.tensor(3.0)})
    >>> none, keys = TensorDict({"x": torch.zeros(2)}, [2]), random.split(random.key(0))
    >>> gradient_through(update, trains, none, keys, last, torch.tensor(1.0))["hyper"]  # of 2 · hyper²
    tensor(12.)
    """

    def body(grads: TensorDict, given: tuple[TensorDict, TensorDict, Tensor]) -> tuple[TensorDict, tuple[()]]:
        train, batch, key = given
        leaves, structure = tree.flatten(train)
        moving = [i for i, x in enumerate(leaves) if x.is_floating_point()]

        def after(*values: Tensor) -> list[Tensor]:
            changed = dict(zip(moving, values, strict=True))
            state = tree.unflatten(structure, [changed.get(i, x) for i, x in enumerate(leaves)])
            found = tree.leaves(update(state, batch, key)[0])
            return [found[i] for i in moving]

        given_grads = tree.leaves(grads)
        found = torch.func.vjp(after, *[leaves[i] for i in moving])[1]([given_grads[i] for i in moving])
        changed = dict(zip(moving, found, strict=True))
        return tree.unflatten(structure, [changed.get(i, x) for i, x in enumerate(given_grads)]), ()

    zeros = tree.zeros_like(last).update({"params": grads})
    return control.scan(body, zeros, (trains, batches, keys), reverse=True)[0]


def _names(learned: Sequence[str]) -> tuple[str, ...]:
    if isinstance(learned, str) or not learned:
        raise ValueError(f"meta_gradient: learned is {learned!r} but must name hyperparameters, such as ('gamma',).")
    return tuple(learned)


def _require(hyper: TensorDict, learned: Sequence[str]) -> None:
    for name in learned:
        if name not in hyper:
            raise KeyError(f"meta_gradient: there is no hyperparameter {name!r} to learn; name some of {list(hyper)}.")


def _free(hyper: TensorDict, learned: Sequence[str]) -> TensorDict:
    """The learned hyperparameters without bounds: their logits, or their logarithms."""
    return TensorDict(
        {
            name: torch.logit(hyper[name]).clamp(-10, 10) if is_fraction(name) else hyper[name].log().clamp(-20, 20)
            for name in learned
        }
    )


def _bound(free: TensorDict) -> TensorDict:
    return TensorDict({name: x.sigmoid() if is_fraction(name) else x.exp() for name, x in free.items()})


def _moved(
    hyper: TensorDict, grads: TensorDict, optimizer: optim.Optimizer, meta: TensorDict, learned: Sequence[str]
) -> tuple[TensorDict, TensorDict]:
    """The hyperparameters after a step of `optimizer`, by the chain rule along what bounds them, and its state."""
    free = _free(hyper, learned)
    (along,) = torch.func.vjp(_bound, free)[1](grads.select(*learned))
    free, meta_state = optim.step(optimizer, along, meta, free)
    return hyper.update(_bound(free)), TensorDict(meta_state)
