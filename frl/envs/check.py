"""A strict check that an environment keeps its word; run it once on every environment that you write or wrap."""

import torch
from torch import Tensor

from frl import check, random, tree
from frl.envs.base import Env, promote, reset_where_done
from frl.envs.evidence import attempt, fail, require_equal, require_layout
from frl.envs.purity import require_pure
from frl.specs import Binary, Composite, Spec, Unbounded
from frl.tensordict import TensorDict

_FLAGS, _FLAG = ("done", "terminated", "truncated"), Binary(1, dtype=torch.bool)


def check_env(env: Env, num_steps: int = 200, key: Tensor | None = None, deterministic: bool = False) -> None:
    """Raises unless `env` keeps its word over `num_steps` random steps, resets included.

    Its specs contain all that it emits, which is finite and never changes in keys, shapes or dtypes; `done` is
    `terminated | truncated`; "next" is the true successor, and only what is done starts afresh; inputs stay as they
    are, and so do earlier results; equal keys give equal episodes, other keys other ones, and each environment of a
    batch its own. A pure environment also gives the same row by row, vmapped and compiled, and leaves torch's global
    generator alone.

    Args: key: by default `random.key(0)`. deterministic: says that the environment draws nothing at all.
    Raises: TypeError if `env` is no Env; ValueError that names the environment, the step, the key, the value
        and what was expected.

    >>> from frl.envs import GymEnv
    >>> check_env(GymEnv("CartPole-v1", num_envs=2), num_steps=30)
    """
    if not isinstance(env, Env):
        raise TypeError(
            f"check_env: env is a {type(env).__name__}; wrap a Gymnasium environment by GymWrapper(env), a FuncEnv by "
            "FunctionalEnv(func_env)."
        )
    check.at_least("check_env", {"num_steps": num_steps}, 1)
    k_walk, k_env, k_actions, k_other, k_pure = random.split(random.key(0) if key is None else key, 5)
    _walk(env, num_steps, k_walk)
    length = min(num_steps, 50)
    first, again = (_trajectory(env, k_env, k_actions, length) for _ in range(2))
    require_equal(env, f"{length} steps", "a second run with an equal key differs", first, again)
    if not deterministic:
        _require_keys_matter(env, first, _trajectory(env, k_other, k_actions, length))
        _require_rows_differ(env, random.split(k_other, 8))
    if env.pure:
        require_pure(env, k_pure)


def _walk(env: Env, num_steps: int, key: Tensor) -> None:
    k_reset, k_steps = random.split(key)
    td = attempt(env, "reset", lambda: env.reset(k_reset))
    _check_reset(env, td)
    begin, kept, ends = td, [("reset", td, _copy(td))], []
    for t, k in enumerate(random.split(k_steps, num_steps)):
        where, (k_action, k_step) = f"step {t}", random.split(k)
        given = env.rand_action(td, k_action)
        before = _copy(given)
        if env.pure:
            _check_step(env, where, given, env.step(given, k_step), begin)
        out, following = attempt(env, where, lambda: env.step_and_reset(given, k_step))  # noqa: B023
        require_equal(env, where, "its input was changed in place", before, given)
        _check_step(env, where, given, out, begin)
        _check_following(env, where, out, following)
        earlier, value, copy = kept[-1]
        require_equal(env, where, f"what {earlier} returned has changed since", copy, value)
        kept.append((where, out, _copy(out)))
        ends.append((out["next"], following))
        td = following
    for where, value, copy in kept:
        require_equal(env, where, "what it returned has changed since", copy, value)
    _check_successors(env, ends)


def _check_reset(env: Env, td: TensorDict) -> None:
    _check_entries(env, "reset", td)
    for flag in _FLAGS:
        if bool(td[flag].any()):
            fail(env, "reset", f"{flag!r} is True but an episode begins with False.")


def _check_entries(env: Env, where: str, td: TensorDict) -> None:
    if not isinstance(td, TensorDict):
        fail(env, where, f"it returned a {type(td).__name__} but must return a TensorDict.")
    if td.batch_size != env.batch_size:
        fail(env, where, f"the batch size is {list(td.batch_size)} but must be {list(env.batch_size)}.")
    for key, spec in [*env.single_observation_spec.items(), *((flag, _FLAG) for flag in _FLAGS)]:
        _check_entry(env, where, td, key, spec)


def _check_entry(env: Env, where: str, td: TensorDict, key: str, spec: Spec | Composite) -> None:
    """Fails unless the entry is there, finite, and contained in the spec for every environment."""
    if key not in td:
        fail(env, where, f"{key!r} is missing; there are {list(td)}.")
    for name, x in tree.named_leaves(td.select(key)):
        if x.is_floating_point() and not bool(x.isfinite().all()):
            at = (~x.isfinite()).nonzero()[0].tolist()
            fail(env, where, f"{name!r} at {at} is {x[tuple(at)].item()} but must be finite.")
    reason = spec.explain(td[key])
    if reason is None and td[key].shape != env.batch_size + (() if isinstance(spec, Composite) else spec.shape):
        reason = f"has shape {list(td[key].shape)} but must have {[*env.batch_size, *spec.shape]}"
    if reason is not None:
        fail(env, where, f"{key!r} {reason}.")


def _check_step(env: Env, where: str, given: TensorDict, out: TensorDict, begin: TensorDict) -> None:
    if "next" not in out:
        fail(env, where, f'"next" is missing; there are {list(out)}.')
    require_equal(env, where, "the root must be that of the input", given, out.exclude("next"))
    after = out["next"]
    _check_entries(env, where, after)
    _check_entry(env, where, after, "reward", Unbounded(1, dtype=env.reward_dtype))
    require_layout(env, where, "next must have the layout of the reset", begin, promote(out))
    if not torch.equal(after["done"], after["terminated"] | after["truncated"]):
        fail(env, where, "'done' is not terminated | truncated.")
    if "step_count" in after:
        _check_count(env, where, given["step_count"], after)


def _check_count(env: Env, where: str, before: Tensor, after: TensorDict) -> None:
    count, limit = after["step_count"], env.max_steps
    if not torch.equal(count, before + 1):
        fail(env, where, f"'step_count' went from {before.tolist()} to {count.tolist()} but must grow by 1.")
    ended = count >= limit if limit else torch.zeros_like(after["truncated"])
    if "step_count" not in env.state_keys:  # a transform counts: the environment may truncate for reasons of its own
        ended = ended | after["truncated"]
    if not torch.equal(after["truncated"], ended):
        fail(env, where, f"'truncated' is {after['truncated'].tolist()} at 'step_count' {count.tolist()} of {limit}.")


def _check_following(env: Env, where: str, out: TensorDict, following: TensorDict) -> None:
    _check_entries(env, f"{where}, what follows", following)
    after = promote(out)
    require_layout(env, where, "what follows must have the layout of next", after, following)
    expected = reset_where_done(after, following)
    require_equal(env, where, "what follows differs from next where nothing is done", expected, following)
    for flag in _FLAGS:
        if bool(following[flag].any()):
            fail(env, where, f"what follows is {flag!r} but an environment that was done must start afresh.")


def _check_successors(env: Env, ends: list[tuple[TensorDict, TensorDict]]) -> None:
    """Fails if "next" shows, at every end, the first observation of the following episode, while these vary."""
    done = torch.stack([after["done"].squeeze(-1) for after, _ in ends])
    names = tuple(env.observation_spec)
    found, fresh = (tree.leaves(tree.stack([pair[i].select(*names) for pair in ends])) for i in range(2))
    same = all(torch.equal(x[done], y[done]) for x, y in zip(found, fresh, strict=True))
    vary = any(bool((y[done] != y[done][:1]).any()) for y in fresh)
    if same and vary:
        fail(env, "every end", "'next' holds the first observation of the next episode, not the true successor.")


def _trajectory(env: Env, k_env: Tensor, k_actions: Tensor, length: int) -> TensorDict:
    """Steps and resets, stacked along a new first axis."""
    k_reset, k_steps = random.split(k_env)
    td, steps = env.reset(k_reset), []
    for k_step, k_action in zip(random.split(k_steps, length), random.split(k_actions, length), strict=True):
        step, td = env.step_and_reset(env.rand_action(td, k_action), k_step)
        steps.append(step)
    return tree.stack(steps)


def _require_keys_matter(env: Env, one: TensorDict, other: TensorDict) -> None:
    if all(torch.equal(x, y) for x, y in zip(tree.leaves(one), tree.leaves(other), strict=True)):
        fail(
            env,
            "reset",
            "two keys give one episode; draw from the key, or pass deterministic=True.",
        )


def _require_rows_differ(env: Env, keys: Tensor) -> None:
    if env.batch_size.numel() < 2:
        return
    starts = [env.reset(key).select(*env.observation_spec).flatten() for key in keys]
    alike = all(torch.equal(x, x[:1].expand_as(x)) for start in starts for x in tree.leaves(start))
    vary = any(not torch.equal(x, y) for x, y in zip(tree.leaves(starts[0]), tree.leaves(starts[1]), strict=True))
    if alike and vary:
        fail(env, "reset", "all environments of the batch begin alike; draw from the key of each row, rng [*B, 2].")


def _copy(td: TensorDict) -> TensorDict:
    return tree.map(torch.clone, td)
