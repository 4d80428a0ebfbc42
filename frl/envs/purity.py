"""What a pure environment promises beyond the rest: the same values whichever way it is called."""

from collections.abc import Callable

import torch
from torch import Tensor

from frl import random, tree
from frl.envs.base import Env
from frl.envs.evidence import attempt, fail, require_equal
from frl.tensordict import TensorDict
from frl.tracing import trace

_TOLERANCE = 1e-5


def require_pure(env: Env, key: Tensor) -> None:
    """Fails unless a step is a function of its arguments, row by row, that can be vmapped and compiled.

    >>> from frl.envs import make
    >>> require_pure(make("Pendulum-v1"), random.key(0))
    """
    k_td, k_other, k_step, k_keys = random.split(key, 4)
    generator = torch.get_rng_state()
    td = _ready(env, k_td)
    step = env.step(td, k_step)
    require_equal(env, "step", "a second call with equal arguments gives another result", step, env.step(td, k_step))
    if not torch.equal(generator, torch.get_rng_state()):
        fail(env, "step", "it draws from torch's global generator; draw from the key, by frl.random.")
    if env.batch_size.numel() > 1 and env.rows_apart:
        _require_rows_apart(env, td, _ready(env, k_other), k_step)
    keys = random.split(k_keys, 3)

    def advance(key: Tensor) -> tuple[TensorDict, TensorDict]:
        k_td, k_step = random.split(key)
        return env.step_and_reset(_ready(env, k_td), k_step)

    looped = [advance(k) for k in keys]
    vmapped = attempt(env, "vmap", lambda: torch.vmap(advance)(keys))
    compiled = attempt(env, "compiled", lambda: _traced(advance, keys[0]))
    for i, name in enumerate(("the step", "what follows")):
        alone = tree.stack([pair[i] for pair in looped])
        require_equal(env, "vmap", f"{name} differs from a loop over keys", alone, vmapped[i], _TOLERANCE)
        require_equal(env, "compiled", f"{name} differs from eager", looped[0][i], compiled[i], _TOLERANCE)


def _traced(f: Callable[[Tensor], tuple[TensorDict, TensorDict]], key: Tensor) -> tuple[TensorDict, TensorDict]:
    """What the graph that `frl.compile` makes of `f` computes; run as it is, for to compile it takes seconds."""
    structure: tree.TreeSpec = ()

    def flat(key: Tensor) -> list[Tensor]:
        nonlocal structure
        outputs, structure = tree.flatten(f(key))
        return outputs

    graph = trace(flat, [key])
    return tree.unflatten(structure, graph.module()(key, *graph.closed_over))


def _ready(env: Env, key: Tensor) -> TensorDict:
    k_reset, k_action = random.split(key)
    return env.rand_action(env.reset(k_reset), k_action)


def _require_rows_apart(env: Env, td: TensorDict, other: TensorDict, key: Tensor) -> None:
    batch = env.batch_size
    first = torch.arange(batch.numel()).reshape(batch) == 0
    mixed = env.step(tree.where(first, td, other), key).flatten()[0]
    alone = env.step(td, key).flatten()[0]
    require_equal(env, "step", "environment 0 depends on what the others do", alone, mixed, _TOLERANCE)
