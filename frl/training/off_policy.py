"""The loop of off-policy algorithms: collect, remember, learn from memory."""

from typing import Any

import torch
from torch import Tensor

from frl import check, control, random, tree
from frl.algorithms import Algorithm
from frl.collectors import collect, start
from frl.envs import Env
from frl.replay import Buffer
from frl.tensordict import TensorDict
from frl.training.loop import Loop, begin, episode_statistics


def off_policy(
    env: Env, algorithm: Algorithm, buffer: Buffer, num_steps: int, num_updates: int, warmup: int = 0
) -> Loop:
    """The loop of off-policy algorithms: collect, remember, and learn from samples of what is remembered.

    A step of the loop collects `num_steps` steps of each environment, adds them to the replay buffer, and makes
    `num_updates` updates, each from one sample; new priorities are set once, after the last of them. The buffer is
    written once and read from then on: compiled with `donate=True`, a step costs the same whatever the capacity.

    Args: warmup: environment steps before the first update; until then the algorithm only acts; its metrics are 0.
    Raises: ValueError if a number is out of range.
    """
    check.at_least("off_policy", {"num_steps": num_steps, "num_updates": num_updates}, 1)
    check.at_least("off_policy", {"warmup": warmup}, 0)

    def init(key: Tensor) -> TensorDict:
        k_train, k_env, k_row, key = random.split(key, 4)
        train, runner = algorithm.init(k_train), start(env, k_env)
        row = collect(env, algorithm.act, train, runner, k_row, 1)[1].flatten()[0]
        return begin(train, runner, key).set("buffer", buffer.init(row))

    form: list[Any] = []  # of the metrics, as soon as an update has shown it

    def step(state: TensorDict) -> tuple[TensorDict, TensorDict]:
        def learned(train: TensorDict, memory: TensorDict) -> tuple[TensorDict, TensorDict, TensorDict]:
            train, memory, metrics = learn(algorithm, buffer, train, memory, k_update, num_updates)
            leaves, structure = tree.flatten(metrics)
            form[:] = structure, [(x.dtype, x.device) for x in leaves]
            return train, memory, metrics

        def waiting(train: TensorDict, memory: TensorDict) -> tuple[TensorDict, TensorDict, TensorDict]:
            if not form:  # in eager mode, once: of these updates nothing else is kept
                learned(train, memory)
            structure, kinds = form
            zeros = [torch.zeros((), dtype=dtype, device=device) for dtype, device in kinds]
            return train, memory, tree.unflatten(structure, zeros)

        key, k_collect, k_update = random.split(state["key"], 3)
        runner, batch = collect(env, algorithm.act, state["train"], state["runner"], k_collect, num_steps)
        memory, count = buffer.add(state["buffer"], batch), state["step"] + batch.numel()
        if warmup:
            train, memory, metrics = control.cond(count >= warmup, learned, waiting, state["train"], memory)
        else:
            train, memory, metrics = learned(state["train"], memory)
        stats = episode_statistics(state["stats"], batch["next"])
        state = TensorDict(
            {"train": train, "runner": runner, "buffer": memory, "key": key, "step": count, "stats": stats}
        )
        return state, metrics.update(stats)

    return Loop(init, step)


def learn(
    algorithm: Algorithm, buffer: Buffer, train: TensorDict, memory: TensorDict, key: Tensor, num_updates: int
) -> tuple[TensorDict, TensorDict, TensorDict]:
    """`num_updates` updates of `train`, each from a sample of the buffer's state `memory`, which is read only.

    Returns: `train`; `memory` with the new priorities, if the algorithm says how wrong it was; and the mean metrics.
    """

    def body(train: TensorDict, key: Tensor) -> tuple[TensorDict, tuple[TensorDict, TensorDict]]:
        k_sample, k_update = random.split(key)
        sample = buffer.sample(memory, k_sample)
        train, metrics = algorithm.update(train, sample, k_update)
        wrong = {"rows": sample["index"], "error": metrics["td_error"]} if "td_error" in metrics else {}
        return train, (metrics.exclude("td_error"), TensorDict(wrong))

    train, (metrics, wrong) = control.scan(body, train, random.split(key, num_updates))
    if "rows" in wrong:
        memory = buffer.update_priority(memory, wrong["rows"].flatten(), wrong["error"].flatten())
    return train, memory, tree.map(lambda x: x.mean(0), metrics)
