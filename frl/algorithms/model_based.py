"""Short imagined rollouts for any algorithm that learns from replay (Janner et al. 2019, arXiv:1906.08253: MBPO)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from frl import control, random, tree
from frl.algorithms.base import Algorithm
from frl.algorithms.dynamics import Dynamics
from frl.algorithms.gradient import clipped_adam, descend, leaves_of
from frl.algorithms.ranges import require_ranges
from frl.nn import ensemble_call, initialize_ensemble
from frl.objectives import DynamicsLoss
from frl.objectives.dqn import require_entries
from frl.tensordict import TensorDict

Terminated = Callable[[TensorDict], Tensor]
"""`terminated(td) -> [*B, 1]`: whether nothing comes after the steps `td` [*B], {observation, action, next}."""


class ModelBasedConfig(NamedTuple):
    """Hyperparameters of `model_based`; all but the first three become leaves of `train["hyper"]`."""

    num_members: int = 5
    rollout_length: int = 1
    """Steps that are imagined from each real one."""
    real_ratio: float = 0.5
    """Which part of a batch stays real; the rest is imagined."""
    model_mask_probability: float = 0.8
    """How likely each member of the model is to learn from a step, drawn when the step is made."""
    model_learning_rate: float = 1e-3
    model_max_grad_norm: float = 10.0
    """Of each member's gradient."""


_DEFAULTS = ModelBasedConfig()
_STATIC = ("num_members", "rollout_length", "real_ratio")
_ENDS = (("next", "terminated"), ("next", "truncated"), ("next", "done"))


def never(td: TensorDict) -> Tensor:
    """An environment that does not terminate, as Pendulum: all False.

    >>> never(TensorDict({"next": {"reward": torch.ones(3, 1)}}, [3])).flatten().tolist()
    [False, False, False]
    """
    return torch.zeros_like(td["next", "reward"], dtype=torch.bool)


def model_based(
    algorithm: Algorithm, dynamics: Dynamics, config: ModelBasedConfig = _DEFAULTS, terminated: Terminated = never
) -> Algorithm:
    """`algorithm`, which learns from replay, learning from imagined steps as well: MBPO, if it is SAC.

    An ensemble of models learns what the environment does, each member from its own share of the steps. At each update
    a part of the batch is replaced by steps that begin at its observations, with actions of the algorithm as it is now,
    and outcomes drawn from a member that is drawn for each step. So what is learnt from a step of the environment is
    more than what happened in it; what is imagined is never older than the batch.

    Its state is that of the algorithm with "model" beside it; it acts as the algorithm does, and marks each step with
    "model_mask" [*B, N], which says what members learn from it. Single steps only: of n-step replay it could not
    imagine the rewards, and of prioritised replay it uses no weights and sets no priorities.

    Args: dynamics: of one member, see `frl.algorithms.dynamics`. terminated: what ends an episode, which models do not
        learn.
    Raises: ValueError for a hyperparameter out of range, or, when it updates, for steps of n-step replay; KeyError if
        the batch lacks an entry; what `terminated` returns is trusted.

    Metrics: those of the algorithm but "td_error"; "model_loss" and "model_error", the mean absolute error of the
    members' means in the changes of observations and the reward.

    >>> from frl import envs
    >>> from frl.algorithms import dynamics, sac, stochastic_actor_q
    >>> env = envs.make("Pendulum-v1", batch_size=[3])
    >>> specs = env.single_observation_spec, env.single_action_spec
    >>> mbpo = model_based(sac(stochastic_actor_q(*specs)), dynamics(*specs))
    >>> mbpo.init(random.key(0))["model", "params"].batch_size
    torch.Size([5])
    """
    numbers = config._asdict()
    settings = {name: value for name, value in numbers.items() if name not in _STATIC}
    require_ranges("model_based", numbers)

    def init(key: Tensor) -> TensorDict:
        k_agent, k_model = random.split(key)
        train, hyper = algorithm.init(k_agent), leaves_of(settings)
        params = initialize_ensemble(dynamics.init, config.num_members, k_model)
        begin = clipped_adam(hyper["model_learning_rate"], hyper["model_max_grad_norm"]).init
        opt = torch.vmap(lambda member: TensorDict(begin(tree.ravel(member)[0])))(params)
        model = TensorDict({"params": params, "opt": opt})
        return train.update({"hyper": train["hyper"].update(hyper), "model": model})

    def act(train: TensorDict, td: TensorDict, key: Tensor | None = None, explore: bool = True) -> TensorDict:
        if not explore or key is None:
            return algorithm.act(train, td, key, explore)
        k_act, k_mask = random.split(key)
        td = algorithm.act(train, td, k_act, explore)
        chance = train["hyper", "model_mask_probability"].expand(*td.batch_size, config.num_members)
        return td.set("model_mask", random.bernoulli(chance, k_mask))

    def update(train: TensorDict, batch: TensorDict, key: Tensor) -> tuple[TensorDict, TensorDict]:
        _require_single_steps(batch)
        k_imagine, k_agent = random.split(key)
        model, said = _learned(dynamics, train, batch)
        real = batch.select(*dynamics.module.in_keys, *dynamics.module.out_keys, *_ENDS)
        size = real.batch_size[0]
        count = round(config.real_ratio * size)
        mixed: Any = [real[:count]]
        if count < size:
            dreamer = _Dreamer(algorithm, dynamics, terminated, config.rollout_length)
            mixed.append(dreamer(train, real[count:], k_imagine))
        after, metrics = algorithm.update(train.exclude("model"), torch.cat(mixed), k_agent)  # type: ignore[arg-type]
        return after.set("model", model), metrics.exclude("td_error").update(said)

    return Algorithm(init, act, update)


class _Dreamer(NamedTuple):
    algorithm: Algorithm
    dynamics: Dynamics
    terminated: Terminated
    length: int

    def __call__(self, train: TensorDict, real: TensorDict, key: Tensor) -> TensorDict:
        """As many imagined steps as real ones, [M]: rollouts of `length` steps from the first M / length of them."""
        model, size = self.dynamics.module, real.batch_size[0]
        begin = real[: -(-size // self.length)].select(*model.observation_keys)

        def body(seen: TensorDict, key: Tensor) -> tuple[TensorDict, TensorDict]:
            k_act, k_step = random.split(key)
            acted = self.algorithm.act(train, seen, k_act).select(*model.in_keys)
            step = self._step(train["model", "params"], acted, k_step)
            # where an episode ends another begins
            onwards = tree.where(step["next", "done"].squeeze(-1), begin, step["next"].select(*model.observation_keys))
            return onwards, step

        _, steps = control.scan(body, begin, random.split(key, self.length))
        return steps.flatten()[:size]

    def _step(self, params: Any, td: TensorDict, key: Tensor) -> TensorDict:
        """`td` [M] with the "next" that a member draws, another member for each row."""
        k_member, k_draw = random.split(key)
        outcomes = ensemble_call(self.dynamics.module, params, td, key=k_draw)["next"]
        member = random.randint(0, outcomes.batch_size[0], tuple(td.batch_size), k_member)

        def of_member(x: Tensor) -> Tensor:
            return x.gather(0, member[None, :, None].expand(1, *x.shape[1:])).squeeze(0)

        td = td.set("next", tree.map(of_member, outcomes))
        ends = self.terminated(td)
        for name, flag in zip(_ENDS, (ends, torch.zeros_like(ends), ends.clone()), strict=True):
            td = td.set(name, flag)
        return td


def _learned(dynamics: Dynamics, train: TensorDict, batch: TensorDict) -> tuple[TensorDict, TensorDict]:
    """The ensemble of models after one step of each member down its own loss, and what the losses say."""
    require_entries("model_based", batch, "model_mask", remedy="collect it by act, which draws the mask")
    hyper = train["hyper"]
    loss, adam = DynamicsLoss(dynamics.module), clipped_adam(hyper["model_learning_rate"], hyper["model_max_grad_norm"])

    def member(params: Any, opt: Any, weight: Tensor) -> tuple[TensorDict, ...]:
        def objective(params: Any) -> tuple[Tensor, TensorDict]:
            losses = loss({"model": params}, batch.set("_weight", weight))
            return losses["loss"], losses

        return descend(objective, adam, params, opt)

    model, dtype = train["model"], batch["next", "reward"].dtype
    weights = batch["model_mask"].movedim(-1, 0).to(dtype)
    params, opt, losses = torch.vmap(member)(model["params"], model["opt"], weights)
    said = {"model_loss": losses["loss"].mean(), "model_error": losses["error"].mean()}
    return TensorDict({"params": params, "opt": opt}), TensorDict(said)


def _require_single_steps(batch: TensorDict) -> None:
    require_entries("model_based", batch, *_ENDS)
    if ("next", "discount") in batch:
        raise ValueError(
            "model_based: the batch has ('next', 'discount') of n-step replay, but models imagine single steps; sample "
            "it from uniform(capacity, batch_size)."
        )
