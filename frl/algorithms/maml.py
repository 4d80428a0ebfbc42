"""Model-agnostic meta-learning (Finn et al. 2017, arXiv:1703.03400), of second and of first order."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from frl import functional as F
from frl import optim, tree
from frl.algorithms.advantages import advantages, rows
from frl.algorithms.epochs import epochs
from frl.algorithms.gradient import minimized
from frl.algorithms.networks import ActorCritic
from frl.algorithms.policy_gradient import policy_gradient
from frl.algorithms.ranges import require_ranges
from frl.objectives import ClipPPOLoss
from frl.objectives.actor_critic import distribution, joint, value_loss
from frl.tensordict import TensorDict, scalar

PolicyLoss = Callable[[TensorDict], Tensor]
"""A loss [] of the policy's parameters."""
Gradient = Callable[[PolicyLoss], Callable[[TensorDict], TensorDict]]
"""`torch.func.grad`, or what takes its place."""


class MAMLConfig(NamedTuple):
    """Hyperparameters of `maml`; all but the first two become leaves of `train["hyper"]`, to be swept or annealed."""

    second_order: bool = True
    """Whether the meta-gradient is differentiated through the gradients of the adaptations, or takes them as given."""
    num_epochs: int = 1
    """Steps of the meta-optimiser for each batch of tasks."""
    inner_rate: float = 0.1
    """The length of a step of adaptation along its gradient."""
    learning_rate: float = 1e-3
    anneal_updates: float = 0.0
    """Updates over which the learning rate falls linearly to zero; 0 keeps it constant."""
    gamma: float = 0.99
    lambda_: float = 1.0
    clip: float = 0.2
    value_cost: float = 0.5
    entropy_cost: float = 0.0
    max_grad_norm: float = 0.5


class MetaAlgorithm(NamedTuple):
    """An algorithm that learns how to learn a task: an `Algorithm` with a function more.

    init, act: as those of `Algorithm`.
    adapt: `adapt(train, batch) -> train`, one step of learning a task, from a batch [*B, T] of experience in it.
    update: `update(train, batch, key) -> (train, metrics)`, from a batch [N, K + 1, *B, T]: what was collected in each
        of N tasks before, between and after K steps of adaptation, from `train` on.
    """

    init: Callable[[Tensor], TensorDict]
    act: Callable[..., TensorDict]
    adapt: Callable[[TensorDict, TensorDict], TensorDict]
    update: Callable[[TensorDict, TensorDict, Tensor], tuple[TensorDict, TensorDict]]


_DEFAULTS = MAMLConfig()


def maml(networks: ActorCritic, config: MAMLConfig = _DEFAULTS) -> MetaAlgorithm:
    """MAML for reinforcement learning: parameters of a policy from which a few gradient steps learn any of the tasks.

    A step of adaptation is θ' = θ − `inner_rate` · ∇L(θ) and changes the policy alone. Both L, on what θ did, and what
    the meta-optimiser minimises over θ, on what θ' did, are −mean(A π(a) / π_old(a)), the latter with PPO's clip
    and, of several adaptations, its mean after each; the advantages A have mean 0 and standard deviation 1 in each
    task. The value network is their baseline, common to all tasks, and learns from what θ itself did: values between
    those before and after adaptation would be right of neither. The meta-optimiser is Adam where the paper took trust
    regions.

    A loss −mean(A log π) would have the same gradient, but the gradient of *that* misses that other parameters would
    have drawn other actions. The ratio, of value 1, has the missing term ∇log π ∇log πᵀ in its second derivative, as
    DiCE has; like the low-variance curvature of ProMP it leaves out what two steps of an episode have to do with each
    other. So with `second_order` the meta-gradient is right of tasks of one step and close for others. Experience is
    data: no gradient flows through how it was collected.

    Raises: ValueError for a hyperparameter out of range, and, when it updates, for a batch without an adaptation;
        KeyError if a batch lacks an entry.

    Metrics: "loss_objective", "loss_critic", "entropy", "kl_approx", "clip_fraction", "learning_rate".
    Source: arXiv:1703.03400, algorithm 3; first order: sec. 5.2. Foerster et al. (2018), arXiv:1802.05098 (DiCE);
        Rothfuss et al. (2019), arXiv:1810.06784 (ProMP), sec. 4 and 5.

    >>> from frl import specs
    >>> from frl.algorithms import actor_critic
    >>> algorithm = maml(actor_critic(specs.Composite({"observation": specs.Unbounded(2)}), specs.Unbounded(2)))
    >>> sorted(algorithm.init(torch.tensor([0, 0]))["hyper"])[:5]
    ['anneal_updates', 'clip', 'entropy_cost', 'gamma', 'inner_rate']
    """
    settings = config._asdict()
    require_ranges("maml", settings)
    leaves = {name: value for name, value in settings.items() if name not in ("second_order", "num_epochs")}
    gradient: Gradient = torch.func.grad if config.second_order else constant_gradient

    def valued(train: TensorDict, batch: TensorDict) -> TensorDict:
        return advantages(networks, train["params"], batch, train["hyper", "gamma"], train["hyper", "lambda_"])

    def adapt(train: TensorDict, batch: TensorDict) -> TensorDict:
        loss = _policy_loss(networks, rows(networks, valued(train, batch)))
        actor = adaptation(loss, train["params", "actor"], train["hyper", "inner_rate"], torch.func.grad)
        return train.set(("params", "actor"), actor)

    def learn(
        train: TensorDict, batch: TensorDict, optimizer: optim.Optimizer, key: Tensor
    ) -> tuple[TensorDict, TensorDict]:
        _require_adaptations(batch)
        objective = meta_objective(networks, train["hyper"], gradient)
        return epochs(minimized(objective), optimizer, train, valued(train, batch), key, (config.num_epochs, 1))

    algorithm = policy_gradient(networks, leaves, learn)
    return MetaAlgorithm(algorithm.init, algorithm.act, adapt, algorithm.update)


def meta_objective(
    networks: ActorCritic, hyper: TensorDict, gradient: Gradient
) -> Callable[[TensorDict, TensorDict], TensorDict]:
    """What the meta-optimiser minimises: `objective(params, data)`, the mean of the losses after each adaptation.

    `data` is [N, K + 1, *B, T], as `advantages` makes it of experience. The result is that of `ClipPPOLoss`, but for
    "loss_critic", which is the error of the values before the first adaptation. That not the last adaptation alone
    counts is what Antoniou et al. (2019), arXiv:1810.09502, found to make the training stable.

    >>> from frl import specs
    >>> from frl.algorithms import actor_critic
    >>> networks = actor_critic(specs.Composite({"observation": specs.Unbounded(2)}), specs.Categorical(2))
    >>> hyper = {name: torch.tensor(0.5) for name in ("inner_rate", "clip", "value_cost", "entropy_cost")}
    >>> steps = {name: torch.ones(3, 2, 5, 4, 1) for name in ("advantage", "value_target")}
    >>> acted = {"action": torch.ones(3, 2, 5, 4).long(), "sample_log_prob": torch.zeros(3, 2, 5, 4)}
    >>> data = TensorDict({"observation": torch.ones(3, 2, 5, 4, 2), **acted, **steps}, [3, 2, 5, 4])
    >>> params = networks.init(torch.tensor([0, 0]))
    >>> meta_objective(networks, TensorDict(hyper), torch.func.grad)(params, data)["loss"].shape
    torch.Size([])
    """
    after = ClipPPOLoss(
        networks.actor,
        networks.critic,
        critic_coeff=0.0,
        entropy_coeff=hyper["entropy_cost"],
        normalize_advantage=True,
        clip_epsilon=hyper["clip"],
    )

    def of_task(params: TensorDict, data: TensorDict) -> TensorDict:
        before, *others = (rows(networks, data[i]) for i in range(data.batch_size[0]))
        error, found = value_loss(networks.critic, params["critic"], before), list[TensorDict]()
        for latest in others:
            actor = adaptation(_policy_loss(networks, before), params["actor"], hyper["inner_rate"], gradient)
            params, before = params.set("actor", actor), latest
            found.append(after(params, latest))
        losses = tree.map(lambda x: x.mean(0), tree.stack(found))
        return losses.update({"loss": losses["loss"] + hyper["value_cost"] * error, "loss_critic": error})

    def objective(params: TensorDict, data: TensorDict) -> TensorDict:
        return tree.map(lambda x: x.mean(0), torch.vmap(of_task, (None, 0))(params, data))

    return objective


def adaptation(loss: PolicyLoss, params: TensorDict, rate: float | Tensor, gradient: Gradient) -> TensorDict:
    """`params` − `rate` · ∇`loss`(`params`): one step of adaptation, through which a meta-gradient can be taken.

    Args: gradient: makes the function ∇`loss` of `loss`: `torch.func.grad`, or `constant_gradient` for first order.

    >>> def far(x, gradient):  # from 0, after a step down x²
    ...     return adaptation(lambda params: params["x"] ** 2, TensorDict({"x": x}), 0.25, gradient)["x"] ** 2
    >>> [torch.func.grad(far)(torch.tensor(4.0), g).item() for g in (torch.func.grad, constant_gradient)]
    [2.0, 4.0]
    """
    return tree.map(lambda x, g: x - rate * g, params, gradient(loss)(params))


def constant_gradient(loss: PolicyLoss) -> Callable[[TensorDict], TensorDict]:
    """∇`loss` as a function whose own derivative is taken to be 0.

    >>> cube = lambda params: params["x"] ** 3
    >>> constant_gradient(cube)(TensorDict({"x": torch.tensor(2.0)}))["x"]
    tensor(12.)
    """
    return lambda params: tree.map(Tensor.detach, torch.func.grad(loss)(params))


def _policy_loss(networks: ActorCritic, data: TensorDict) -> PolicyLoss:
    old, advantage = joint(data["sample_log_prob"], data), F.standardize(scalar(data, "advantage"))

    def loss(actor: TensorDict) -> Tensor:
        log_prob = joint(distribution(networks.actor, actor, data).log_prob(data["action"]), data)
        return F.surrogate(log_prob, old, advantage)

    return loss


def _require_adaptations(batch: TensorDict) -> None:
    shape = list(batch.batch_size)
    if len(shape) < 3 or shape[1] < 2:
        raise ValueError(
            f"maml: batch has shape {shape} but must have [tasks, adaptations + 1, *B, T], with one adaptation at "
            "least; make it by frl.training.few_shot."
        )
