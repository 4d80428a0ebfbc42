"""Policies and value functions: modules over TensorDicts with the keys that environments and losses use."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from frl.distributions import Distribution
from frl.nn.exploration_type import ExplorationType
from frl.nn.modules import TensorDictModule
from frl.nn.probabilistic import ProbabilisticTensorDictModule
from frl.nn.sequential import TensorDictSequential, overlap
from frl.tensordict import Key, TensorDict


class Actor(TensorDictModule):
    """A deterministic policy: by default from "observation" to "action".

    >>> Actor(nn.Linear(3, 1)).in_keys, Actor(nn.Linear(3, 1)).out_keys
    (['observation'], ['action'])
    """

    def __init__(
        self,
        module: Callable[..., Any],
        in_keys: Sequence[Key] = ("observation",),
        out_keys: Sequence[Key] = ("action",),
    ):
        super().__init__(module, in_keys, out_keys)


class ValueOperator(TensorDictModule):
    """A value function: from "observation" to "state_value" or, if "action" is among in_keys, "state_action_value".

    The module gives one number for each state, [*B, 1].

    >>> ValueOperator(nn.Linear(3, 1)).out_keys
    ['state_value']
    >>> ValueOperator(nn.Bilinear(3, 1, 1), in_keys=["observation", "action"]).out_keys
    ['state_action_value']
    """

    def __init__(
        self,
        module: Callable[..., Any],
        in_keys: Sequence[Key] = ("observation",),
        out_keys: Sequence[Key] | None = None,
    ):
        default = ["state_action_value" if "action" in in_keys else "state_value"]
        super().__init__(module, in_keys, default if out_keys is None else out_keys)


class ProbabilisticActor(TensorDictSequential):
    """A stochastic policy: `module` writes the parameters of a distribution, and a value of it becomes the action.

    Args: module: a module over TensorDicts that writes `in_keys`. The others: see `ProbabilisticTensorDictModule`.

    >>> import torch
    >>> from frl import TensorDict, random
    >>> from frl.distributions import OneHotCategorical
    >>> net = TensorDictModule(nn.Linear(4, 2), ["observation"], ["logits"])
    >>> policy = ProbabilisticActor(net, in_keys=["logits"], distribution_class=OneHotCategorical)
    >>> policy(TensorDict({"observation": torch.zeros(7, 4)}, [7]), key=random.key(0))["action"].sum(-1).tolist()
    [1, 1, 1, 1, 1, 1, 1]
    """

    def __init__(
        self,
        module: nn.Module,
        in_keys: Sequence[Key] | Mapping[str, Key],
        out_keys: Sequence[Key] | Mapping[Key, Key] = ("action",),
        *,
        distribution_class: Callable[..., Distribution],
        return_log_prob: bool = False,
        default_interaction_type: ExplorationType = ExplorationType.RANDOM,
    ):
        super().__init__(
            module,
            ProbabilisticTensorDictModule(
                in_keys, out_keys, distribution_class, return_log_prob, default_interaction_type
            ),
        )


class ActorValueOperator(TensorDictSequential):
    """A policy and a value function on a shared trunk.

    `get_policy_operator()` and `get_value_operator()` give each of them with the trunk; they share its parameters.
    `functional_call(operator.policy, params, td, key=key)` and `functional_call(operator.value, params, td)` are the
    pure forms, of one parameter TensorDict.

    Args: common_operator: the trunk; policy_operator, value_operator: the heads; all modules over TensorDicts.

    >>> trunk = TensorDictModule(nn.Linear(4, 8), ["observation"], ["hidden"])
    >>> policy, value = Actor(nn.Linear(8, 2), ["hidden"]), ValueOperator(nn.Linear(8, 1), ["hidden"])
    >>> operator = ActorValueOperator(trunk, policy, value)
    >>> operator.get_value_operator().in_keys, operator.out_keys
    (['observation'], ['hidden', 'action', 'state_value'])
    """

    def __init__(self, common_operator: nn.Module, policy_operator: nn.Module, value_operator: nn.Module):
        super().__init__(common_operator, policy_operator, value_operator)

    def policy(
        self, td: TensorDict, key: Tensor | None = None, exploration: ExplorationType | None = None
    ) -> TensorDict:
        """`td` after trunk and policy. key: [2], if the policy draws; exploration: how."""
        return self._run(2, td, key, exploration)

    def value(self, td: TensorDict) -> TensorDict:
        """`td` after trunk and value function."""
        return self.module[2](self.module[0](td))

    def get_policy_operator(self) -> TensorDictSequential:
        """Trunk and policy, as modules that share their parameters with this one."""
        return TensorDictSequential(self.module[0], self.module[1])

    def get_value_operator(self) -> TensorDictSequential:
        """Trunk and value function, as modules that share their parameters with this one."""
        return TensorDictSequential(self.module[0], self.module[2])


class ActorCriticOperator(ActorValueOperator):
    """A policy and a critic of its actions on a shared trunk: from the observation to an action to its value.

    `get_policy_operator()` is the trunk with the policy, `get_critic_operator()` the whole, which values the policy's
    own action. `get_value_operator()` and `value(td)` are the trunk with the critic, which value the action in `td`.

    Args: common_operator: the trunk; policy_operator, value_operator: the heads, the second of which reads what the
        first writes, and by default writes "state_action_value"; all modules over TensorDicts.
    Raises: ValueError if the critic reads nothing that the policy writes.

    >>> from frl.nn import MLP
    >>> trunk = TensorDictModule(nn.Linear(4, 8), ["observation"], ["hidden"])
    >>> policy, critic = Actor(nn.Linear(8, 2), ["hidden"]), ValueOperator(MLP(10, 1), ["hidden", "action"])
    >>> operator = ActorCriticOperator(trunk, policy, critic)
    >>> operator.out_keys, operator.get_value_operator().in_keys
    (['hidden', 'action', 'state_action_value'], ['observation', 'action'])
    """

    def __init__(self, common_operator: nn.Module, policy_operator: nn.Module, value_operator: nn.Module):
        super().__init__(common_operator, policy_operator, value_operator)
        reads, written = self[2].in_keys, self[1].out_keys
        if not any(overlap(out, key) for out in written for key in reads):
            raise ValueError(
                f"ActorCriticOperator: the critic reads {reads} but the policy writes {written}; name the action in "
                "the critic's in_keys, or take ActorValueOperator for a value of states."
            )

    def get_critic_operator(self) -> TensorDictSequential:
        """Trunk, policy and critic: the operator itself."""
        return self
