"""The host's loop: it calls a step and then its callbacks, which log, evaluate, save and stop."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch

from frl import check
from frl.tensordict import TensorDict
from frl.training import checkpoint

Step = Callable[[TensorDict], tuple[TensorDict, TensorDict]]
Callback = Callable[[int, TensorDict, TensorDict], bool | None]
"""`callback(updates, state, metrics)` sees the state after so many updates; True ends the training."""


def train(
    step: Step, state: TensorDict, num_updates: int, callbacks: Iterable[Callback] = (), start: int = 0
) -> TensorDict:
    """Updates `state` by `step` until it has seen `num_updates` or a callback returns True.

    Args: step: a loop's, compiled or not. start: the number of updates that `state` has seen.
    Returns: the last state. Raises: TypeError if `step` or a callback cannot be called.

    >>> def halve(state):
    ...     state = state.set("x", state["x"] / 2)
    ...     return state, state
    >>> low = stop_when(lambda metrics: metrics["x"] <= 1)
    >>> train(halve, TensorDict({"x": torch.tensor(8.0)}), 10, [low])["x"].item()
    1.0
    """
    check.callables("train", {"step": step}, "pass the step of a loop")
    callbacks = _callbacks("train", callbacks)
    for updates in range(start + 1, num_updates + 1):
        with torch.no_grad():
            state, metrics = step(state)
        wishes = [callback(updates, state, metrics) for callback in callbacks]
        if any(wishes):
            break
    return state


def every(period: int, callback: Callback) -> Callback:
    """`callback`, called after every `period`-th update only.

    Raises: ValueError if the period is below 1; TypeError if the callback cannot be called.

    >>> seen = []
    >>> called = every(3, lambda updates, state, metrics: seen.append(updates))
    >>> any(called(i, None, None) for i in range(1, 8)), seen
    (False, [3, 6])
    """
    check.callables("every", {"callback": callback}, _CALLBACK)
    check.at_least("every", {"period": period}, 1)
    return lambda updates, state, metrics: callback(updates, state, metrics) if updates % period == 0 else None


def measured(measure: Callable[[TensorDict], TensorDict], callbacks: Iterable[Callback]) -> Callback:
    """A callback that hands `measure(state)`, in the place of the training's metrics, to `callbacks`.

    So what logs, stops and keeps can do so by an evaluation: `every(10, measured(evaluation, [log, keep_best(...)]))`.
    Raises: TypeError if `measure` or a callback cannot be called.

    >>> state = TensorDict({"x": torch.tensor(3.0)})
    >>> low = stop_when(lambda metrics: metrics["eval_return"] < 0)
    >>> measured(lambda state: TensorDict({"eval_return": -state["x"]}), [low])(1, state, TensorDict({}))
    True
    """
    check.callables("measured", {"measure": measure}, "pass a function of the state that returns metrics")
    callbacks = _callbacks("measured", callbacks)

    def callback(updates: int, state: TensorDict, metrics: TensorDict) -> bool:
        with torch.no_grad():
            found = measure(state)
        wishes = [called(updates, state, found) for called in callbacks]
        return any(wishes)

    return callback


def stop_when(condition: Callable[[TensorDict], Any]) -> Callback:
    """Ends the training once `condition(metrics)` holds: early stop.

    Raises: TypeError if the condition cannot be called; ValueError, when called, if it says more than one thing.

    >>> solved = stop_when(lambda metrics: metrics["episode_return"] >= 475)
    >>> solved(1, None, {"episode_return": torch.tensor(500.0)})
    True
    """
    check.callables("stop_when", {"condition": condition}, "pass a function of the metrics")

    def callback(updates: int, state: TensorDict, metrics: TensorDict) -> bool:
        holds = condition(metrics)
        if isinstance(holds, torch.Tensor) and holds.numel() != 1:
            raise ValueError(
                f"stop_when: the condition has shape {list(holds.shape)} but must be one truth; end it by .all() or "
                ".any() over the members."
            )
        return bool(holds)

    return callback


def require_finite(updates: int, state: TensorDict, metrics: TensorDict) -> None:
    """A callback that raises ValueError, naming the metric and the update, once a metric is NaN or infinite."""
    remedy = "see by check_env whether the environment gives such rewards, or lower the learning rate"
    check.finite(metrics, f"metrics of update {updates}", remedy)


def save_checkpoint(directory: str | Path, metadata: dict[str, Any] | None = None, keep: int = 3) -> Callback:
    """A callback that saves a checkpoint named by the number of environment steps, as `checkpoint.save` does.

    Raises: ValueError if `keep` is below 1; when called, what `checkpoint.save` does.

    >>> import tempfile
    >>> state = TensorDict({"step": torch.tensor(64)})
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     save_checkpoint(directory)(2, state, state)
    ...     checkpoint.load_latest(directory).metadata
    {'updates': 2}
    """
    check.at_least("save_checkpoint", {"keep": keep}, 1)

    def callback(updates: int, state: TensorDict, metrics: TensorDict) -> None:
        checkpoint.save(directory, state, int(state["step"].max()), {**(metadata or {}), "updates": updates}, keep)

    return callback


_CALLBACK = "pass a function of (updates, state, metrics)"


def _callbacks(function: str, callbacks: Iterable[Callback]) -> list[Callback]:
    if callable(callbacks):
        raise TypeError(f"{function}: callbacks is a function but must be a list of them; write [callback].")
    callbacks = list(callbacks)
    check.callables(function, {f"callback {i}": callback for i, callback in enumerate(callbacks)}, _CALLBACK)
    return callbacks
