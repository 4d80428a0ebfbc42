"""The losses of randomized ensembled double Q-learning (Chen et al. 2021, arXiv:2101.05982)."""

import dataclasses

from torch import Tensor

from frl import check, random
from frl.objectives.sac import SACLoss


@dataclasses.dataclass(frozen=True)
class REDQLoss(SACLoss):
    """`SACLoss` of many critics: the target is the least of a few, drawn anew at each call; the policy's, their mean.

    A target by few of many is neither as optimistic as their mean nor as pessimistic as the least of all, so that many
    updates can be made for each step of the environment. All else is as in `SACLoss`.

    Args: as those of `SACLoss`, with num_qvalue_nets: N, 10 as in the paper. sub_sample_len: M, how many make the
        target, without replacement.
    Raises: ValueError if there are more of them than critics; what `SACLoss` raises.

    >>> import torch
    >>> from torch import nn
    >>> from frl.distributions import TanhNormal
    >>> from frl.nn import MLP, NormalParamWrapper, ProbabilisticActor, TensorDictModule, ValueOperator
    >>> net = TensorDictModule(NormalParamWrapper(MLP(3, 2)), ["observation"], ["loc", "scale"])
    >>> actor = ProbabilisticActor(net, ["loc", "scale"], distribution_class=TanhNormal)
    >>> loss = REDQLoss(actor, ValueOperator(MLP(4, 1), ["observation", "action"]))
    >>> loss.policy_value(torch.tensor([[1.0], [3.0]])), loss.init(random.key(0))["qvalue"].batch_size
    (tensor([2.]), torch.Size([10]))
    """

    num_qvalue_nets: int = 10
    sub_sample_len: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        check.at_least("REDQLoss", {"sub_sample_len": self.sub_sample_len}, 1)
        check.at_most("REDQLoss", {"sub_sample_len": self.sub_sample_len}, self.num_qvalue_nets)

    def target_value(self, values: Tensor, key: Tensor) -> Tensor:
        """The least of M of the values [N, *B], the same M for the whole batch."""
        drawn = random.permutation(values.shape[0], key)[: self.sub_sample_len]
        return values[drawn].amin(0)

    def policy_value(self, values: Tensor) -> Tensor:
        """The mean of the values [N, *B]."""
        return values.mean(0)
