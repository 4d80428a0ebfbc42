"""Evolution strategies: candidates are drawn around a mean, and the mean moves towards the fitter ones; no gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from frl import check, random, tree
from frl.optim.adam import adam
from frl.optim.base import Optimizer, Tree, step
from frl.tensordict import TensorDict

OptimizerOf = Callable[[Tensor], Optimizer]
"""An optimiser from its learning rate: `adam`, or `lambda rate: chain(clip_by_global_norm(1.0), sgd(rate))`."""


class Evolution(NamedTuple):
    """An evolution strategy over a tree of parameters, as three pure functions of a state.

    init: `init(params) -> state`, {"mean", "opt", "hyper"}, with "sigma" where that is learned; the "mean" is what has
        been found, a tree like `params`.
    ask: `ask(state, key) -> candidates`, a tree like the mean whose leaves are [n, ...]: the first half are draws, the
        second half their mirror images about the mean.
    tell: `tell(state, candidates, fitness) -> state`, with the `fitness` [n] of each; more is better, and NaN is worst.

    >>> strategy = openai_es(100, learning_rate=0.1, sigma=0.1)
    >>> state = strategy.init({"x": torch.tensor(0.0)})
    >>> for key in random.split(random.key(0), 100):
    ...     candidates = strategy.ask(state, key)
    ...     state = strategy.tell(state, candidates, -((candidates["x"] - 1) ** 2))
    >>> round(state["mean", "x"].item(), 1)
    1.0
    """

    init: Callable[[Tree], TensorDict]
    ask: Callable[[TensorDict, Tensor], Tree]
    tell: Callable[[TensorDict, Tree, Tensor], TensorDict]


def openai_es(
    num_candidates: int,
    learning_rate: float = 0.01,
    sigma: float = 0.05,
    optimizer: OptimizerOf = adam,
) -> Evolution:
    """The evolution strategy of OpenAI: candidates θ ± σε, and a step along the mean of rank · ε / σ.

    That is an estimate of the gradient of the fitness, smoothed by a normal distribution of standard deviation σ, from
    antithetic pairs; ranks (`centred_ranks`) stand for the fitness, so that its scale does not matter.

    Args: num_candidates: an even number. learning_rate, sigma: where `state["hyper"]` begins. optimizer: makes the
        optimiser of a learning rate, which descends along minus the estimate.
    Raises: ValueError for a number out of range, and by `tell` unless there is one fitness for each candidate.
    Source: Salimans et al. (2017), arXiv:1703.03864.

    >>> strategy = openai_es(4, sigma=0.5)
    >>> candidates = strategy.ask(strategy.init({"w": torch.ones(3)}), random.key(0))
    >>> candidates["w"].shape, candidates["w"].mean(0)  # mirror images cancel
    (torch.Size([4, 3]), tensor([1., 1., 1.]))
    """
    _verify("openai_es", num_candidates, {"learning_rate": learning_rate}, {"sigma": sigma})

    def init(params: Tree) -> TensorDict:
        return _first(params, optimizer, {"learning_rate": learning_rate, "sigma": sigma})

    def ask(state: TensorDict, key: Tensor) -> Tree:
        return _mirrored(state, state["hyper", "sigma"], num_candidates, key)

    def tell(state: TensorDict, candidates: Tree, fitness: Tensor) -> TensorDict:
        _require_fitness("openai_es", fitness, num_candidates)
        plus, minus = centred_ranks(fitness).chunk(2)
        ascent = (plus - minus) @ _draws(state, candidates) / (num_candidates * state["hyper", "sigma"] ** 2)
        return _moved(state, ascent, optimizer)

    return Evolution(init, ask, tell)


def pgpe(
    num_candidates: int,
    learning_rate: float = 0.05,
    sigma: float = 0.1,
    sigma_rate: float = 0.1,
    optimizer: OptimizerOf = adam,
) -> Evolution:
    """Policy gradients with parameter-based exploration: each parameter has a mean μ and a σ of its own; both learn.

    Candidates are μ ± ε in pairs, ε ~ N(0, σ²). The mean follows the difference within a pair, ½(r⁺ − r⁻) ε; and σ
    follows what the pair is better than all, (½(r⁺ + r⁻) − b)(ε² − σ²)/σ: it grows where far candidates are the fitter
    ones. r are `centred_ranks`, whose mean b is 0.

    Args: num_candidates: an even number. learning_rate, sigma_rate: where `state["hyper"]` begins. sigma: where every
        σ begins; a generation changes it by a fifth at most, so that it stays positive. optimizer: see `openai_es`; it
        moves the mean alone.
    Raises: ValueError for a number out of range, and by `tell` unless there is one fitness for each candidate.
    Source: Sehnke et al. (2010), "Parameter-exploring policy gradients", with symmetric sampling; the bound on σ from
        Toklu, Liskowski & Srivastava (2020), arXiv:2008.02387.

    >>> strategy = pgpe(2, sigma=0.5)
    >>> state = strategy.init({"w": torch.ones(3)})
    >>> strategy.tell(state, strategy.ask(state, random.key(0)), torch.tensor([1.0, 1.0]))["mean", "w"]  # a draw
    tensor([1., 1., 1.])
    """
    _verify("pgpe", num_candidates, {"learning_rate": learning_rate, "sigma_rate": sigma_rate}, {"sigma": sigma})

    def init(params: Tree) -> TensorDict:
        state = _first(params, optimizer, {"learning_rate": learning_rate, "sigma_rate": sigma_rate})
        return state.set("sigma", tree.map(lambda x: torch.full_like(x, sigma), params))

    def ask(state: TensorDict, key: Tensor) -> Tree:
        return _mirrored(state, tree.ravel(state["sigma"])[0], num_candidates, key)

    def tell(state: TensorDict, candidates: Tree, fitness: Tensor) -> TensorDict:
        _require_fitness("pgpe", fitness, num_candidates)
        sigma, unravel = tree.ravel(state["sigma"])
        draws, (plus, minus) = _draws(state, candidates), centred_ranks(fitness).chunk(2)
        # in units of σ
        wider = ((plus + minus) / 2) @ (draws.square() / sigma.square() - 1) / len(draws)
        change = (state["hyper", "sigma_rate"] * wider).clamp(-0.2, 0.2)
        state = _moved(state, ((plus - minus) / 2) @ draws / len(draws), optimizer)
        return state.set("sigma", tree.map(torch.clone, unravel(sigma * (1 + change))))

    return Evolution(init, ask, tell)


def centred_ranks(fitness: Tensor) -> Tensor:
    """Ranks of `fitness` [n] from −½, the worst, to ½, the best; equal ones share their mean, and NaN is worst.

    Raises: ValueError unless there are at least two in one axis.

    >>> centred_ranks(torch.tensor([10.0, -3.0, 1e9, 0.0, 10.0])).tolist()
    [0.125, -0.5, 0.5, -0.25, 0.125]
    """
    if fitness.ndim != 1 or len(fitness) < 2:
        raise ValueError(f"centred_ranks: fitness has shape {list(fitness.shape)} but must be [n] with n at least 2.")
    worst = torch.where(fitness.isnan(), -torch.inf, fitness)
    below = (worst < worst.unsqueeze(-1)).sum(-1)
    above = (worst > worst.unsqueeze(-1)).sum(-1)
    return (below - above).to(worst.dtype) / (2 * (len(fitness) - 1))


def _verify(function: str, num_candidates: int, rates: dict[str, float], scales: dict[str, float]) -> None:
    check.at_least(function, {"num_candidates": num_candidates}, 2)
    if num_candidates % 2:
        raise ValueError(
            f"{function}: num_candidates is {num_candidates} but must be even; they are drawn in pairs of mirror "
            "images."
        )
    check.at_least(function, rates, 0)
    check.above(function, scales, 0)


def _first(params: Tree, optimizer: OptimizerOf, hyper: dict[str, float]) -> TensorDict:
    flat = tree.ravel(params)[0]
    leaves = {name: torch.tensor(value, dtype=flat.dtype, device=flat.device) for name, value in hyper.items()}
    opt = TensorDict(optimizer(leaves["learning_rate"]).init(flat))
    return TensorDict({"mean": params, "opt": opt, "hyper": leaves})


def _mirrored(state: TensorDict, sigma: Tensor, num_candidates: int, key: Tensor) -> Tree:
    flat, unravel = tree.ravel(state["mean"])
    draws = sigma * random.normal((num_candidates // 2, len(flat)), key, dtype=flat.dtype)
    return torch.vmap(unravel)(torch.cat([flat + draws, flat - draws]))


def _draws(state: TensorDict, candidates: Tree) -> Tensor:
    """How far the first candidate of each pair is from the mean, [n / 2, P]."""
    flat = torch.cat([x.reshape(len(x), -1) for x in tree.leaves(candidates)], -1)
    plus, minus = flat.chunk(2)
    return (plus - minus) / 2


def _moved(state: TensorDict, ascent: Tensor, optimizer: OptimizerOf) -> TensorDict:
    flat, unravel = tree.ravel(state["mean"])
    flat, opt = step(optimizer(state["hyper", "learning_rate"]), -ascent, state["opt"], flat)
    return state.update({"mean": tree.map(torch.clone, unravel(flat)), "opt": TensorDict(opt)})


def _require_fitness(function: str, fitness: Tensor, num_candidates: int) -> None:
    check.tensors(function, {"fitness": fitness})
    if fitness.shape != (num_candidates,):
        raise ValueError(
            f"{function}: fitness has shape {list(fitness.shape)} but must have {[num_candidates]}; give one number "
            "for each candidate."
        )
