"""The loop of on-policy algorithms: collect, learn, forget."""

from torch import Tensor

from frl import check, random
from frl.algorithms import Algorithm
from frl.collectors import collect, start
from frl.envs import Env
from frl.tensordict import TensorDict
from frl.training.loop import Loop, begin, episode_statistics


def on_policy(env: Env, algorithm: Algorithm, num_steps: int) -> Loop:
    """The loop of on-policy algorithms: collect `num_steps` steps of each environment, learn from them, forget them.

    Raises: ValueError if `num_steps` is below 1.
    """
    check.at_least("on_policy", {"num_steps": num_steps}, 1)

    def init(key: Tensor) -> TensorDict:
        k_train, k_env, key = random.split(key, 3)
        return begin(algorithm.init(k_train), start(env, k_env), key)

    def step(state: TensorDict) -> tuple[TensorDict, TensorDict]:
        key, k_collect, k_update = random.split(state["key"], 3)
        runner, batch = collect(env, algorithm.act, state["train"], state["runner"], k_collect, num_steps)
        train, metrics = algorithm.update(state["train"], batch, k_update)
        stats = episode_statistics(state["stats"], batch["next"])
        count = state["step"] + batch.numel()
        state = TensorDict({"train": train, "runner": runner, "key": key, "step": count, "stats": stats})
        return state, metrics.update(stats)

    return Loop(init, step)
