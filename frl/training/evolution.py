"""The loop of evolution strategies: a population of policies plays, and the strategy is told how each one did."""

import math

import torch
from torch import Tensor, nn

from frl import optim, random, tree
from frl.algorithms.networks import carried_on
from frl.envs import Env
from frl.nn import ExplorationType, functional_call, initialize, orthogonal
from frl.tensordict import TensorDict
from frl.training.evaluate import play
from frl.training.loop import Loop, no_episodes


def evolution(env: Env, policy: nn.Module, strategy: optim.Evolution) -> Loop:
    """The loop of an evolution strategy over the parameters of a policy; a step of it is one generation.

    Each candidate plays one episode in each row of the environment, deterministically, and its fitness is their mean
    return, not discounted. All candidates of a generation meet the same episodes: what differs between them is not
    luck. Compiled, all of them play at once, and every episode takes as long as the time limit.

    The state is {"train", "key", "step", "stats"}: "train" is the strategy's, so that `state["train", "mean"]` are
    parameters of `policy` and `vary` changes its hyperparameters; "step" counts steps of episodes. The first mean is
    drawn as for `actor_critic`, with a last layer near zero: a policy whose candidates differ.

    Args: env: pure, with a time limit. policy: a module over TensorDicts that writes "action", with a memory or
        without. strategy: such as `openai_es` or `pgpe`.
    Returns: the loop, whose metrics are "fitness" and "best_fitness", the mean and the largest of the generation, and
        those of its episodes.
    Raises: TypeError for what is no strategy; ValueError if the environment is not pure or has no time limit.

    >>> from frl import envs
    >>> from frl.algorithms import actor_critic
    >>> env = envs.make("Catch-v0", batch_size=4)
    >>> policy = actor_critic(env.single_observation_spec, env.single_action_spec, (8,)).actor
    >>> loop = evolution(env, policy, optim.pgpe(6))
    >>> state, metrics = loop.step(loop.init(random.key(0)))
    >>> int(state["step"])  # six candidates, four episodes of nine steps
    216
    """
    if not isinstance(strategy, optim.Evolution):
        raise TypeError(
            f"evolution: strategy is a {type(strategy).__name__} but must be an Evolution; pass openai_es(...) or "
            "pgpe(...) of frl.optim."
        )
    if not env.pure or env.max_steps is None:
        raise ValueError(
            f"evolution: {env} is not pure or has no time limit; make it by frl.envs.make(id, batch_size)."
        )
    carried = carried_on(policy)

    def act(params: TensorDict, td: TensorDict, explore: bool) -> TensorDict:
        acted = functional_call(policy, params, td, exploration=ExplorationType.DETERMINISTIC)
        return td.update(acted.select("action", *carried))

    def init(key: Tensor) -> TensorDict:
        k_params, key = random.split(key)
        train = strategy.init(initialize(policy, k_params, orthogonal(math.sqrt(2)), last=orthogonal(0.01)))
        step = torch.zeros((), dtype=torch.int64)
        return TensorDict({"train": train, "key": key, "step": step, "stats": no_episodes()})

    def step(state: TensorDict) -> tuple[TensorDict, TensorDict]:
        key, k_ask, k_play = random.split(state["key"], 3)
        candidates = strategy.ask(state["train"], k_ask)
        count = len(tree.leaves(candidates)[0])
        returns, lengths = play(env, act, candidates, k_play.expand(count, 2))
        fitness = returns.flatten(1).mean(-1)
        train = strategy.tell(state["train"], candidates, fitness)
        stats = {
            "episode_return": returns.mean(),
            "episode_length": lengths.to(returns.dtype).mean(),
            "episodes": torch.full_like(state["stats", "episodes"], returns.numel()),
        }
        metrics = TensorDict({"fitness": fitness.mean(), "best_fitness": fitness.max(), **stats})
        after = {"train": train, "key": key, "step": state["step"] + lengths.sum(), "stats": stats}
        return TensorDict(after), metrics

    return Loop(init, step)
