"""Bad calls of policies: Q-values, exploration, recurrent modules and transformers."""

from functools import cache
from typing import Any

import torch
from torch import nn as tnn

from frl import TensorDict, nn
from frl.specs import Bounded, Categorical, Composite, MultiCategorical, OneHot, Unbounded
from tests.bad_input.case import KEY, TD, bad, ints, ones, zeros

BOX = Bounded(-1.0, 1.0, 2)
VALUES = TensorDict({"action_value": zeros(3, 4), "mask": zeros(3, 4)}, [3])
ONE_HOT = TensorDict({"action": ints(3, 2), "mask": zeros(3, 3, dtype=torch.bool)}, [3])
FLOATS = TensorDict({"action": zeros(3, 2), "is_init": zeros(3, 1, dtype=torch.bool)}, [3])
EMBED = TensorDict({"embed": zeros(3, 4), "is_init": zeros(3, 1, dtype=torch.bool)}, [3])


@cache
def make(kind: Any, *arguments: Any) -> Any:
    """A module; its constructor draws from torch's generator."""
    with torch.random.fork_rng(devices=[]):
        return kind(*arguments)


def transformer() -> nn.DecisionTransformer:
    return make(nn.DecisionTransformer, 4, 2)


def decision(context: TensorDict) -> Any:
    td = TensorDict({"observation": zeros(3, 4), "return_to_go": zeros(3, 1)}, [3]).set("is_init", EMBED["is_init"])
    return nn.DecisionTransformerActor(transformer(), OneHot(2))(td.update(context))


Q_VALUES = {
    "no action space": bad(lambda: nn.QValueModule(), TypeError, "neither action_space nor spec", "spec=env.action"),
    "two action spaces": bad(
        lambda: nn.QValueModule("one_hot", spec=OneHot(2)), TypeError, "both action_space and spec", "one of them"
    ),
    "an unknown action space": bad(
        lambda: nn.QValueActor(make(tnn.Linear, 4, 2), action_space="onehot"),
        ValueError,
        "'onehot'",
        "one of ['one_hot'",
    ),
    "values of a continuous action": bad(
        lambda: nn.QValueActor(make(tnn.Linear, 4, 2), spec=BOX), TypeError, "Bounded", "use Actor for continuous"
    ),
    "several choices without their numbers": bad(
        lambda: nn.QValueModule("mult_one_hot"), ValueError, "var_nums is missing", "var_nums=[2, 3]"
    ),
    "more values than actions": bad(
        lambda: nn.QValueModule(spec=OneHot(3))(VALUES), ValueError, "[3, 4]", "3 choices", "one output for each"
    ),
    "an action mask of numbers": bad(
        lambda: nn.QValueModule("one_hot", action_mask_key="mask")(VALUES),
        *(TypeError, "the action mask is torch.float32", "convert it by .bool()"),
    ),
    "one out key for action and value": bad(
        lambda: nn.QValueModule("one_hot", out_keys=["action"]), ValueError, "['action']", "expected two keys"
    ),
    "the value of actions of another kind": bad(
        lambda: nn.QValueModule("one_hot").action_space.value_of(zeros(3, 3), ints(3)),
        *(ValueError, "action has shape [3]", "[3, 3]", "pass one_hot actions"),
    ),
    "atoms in disorder": bad(
        lambda: nn.DistributionalQValueModule(torch.tensor([1.0, 0.0]), "one_hot"),
        *(ValueError, "[2]", "must be increasing", "torch.linspace"),
    ),
    "logits of other atoms": bad(
        lambda: nn.DistributionalQValueModule(ones(2).cumsum(0), "one_hot")(
            TensorDict({"action_value_logits": zeros(3, 2, 5)}, [3])
        ),
        *(ValueError, "[3, 2, 5]", "[*B, n, 2]", "nn.Unflatten(-1, (n, atoms))"),
    ),
    "quantiles of no action": bad(
        lambda: nn.QuantileQValueModule("one_hot")(TensorDict({"action_value_quantiles": zeros(5)})),
        *(ValueError, "[5]", "[*B, n, quantiles]", "nn.Unflatten(-1, (n, quantiles))"),
    ),
    "quantiles of an unknown action space": bad(
        lambda: nn.QuantileQValueModule("two_hot"), ValueError, "'two_hot'", "one of ['one_hot'"
    ),
    "values that duel along the batch": bad(
        lambda: nn.Dueling(tnn.Identity(), tnn.Identity(), dim=1), ValueError, "dim is 1", "pass -1, or -2"
    ),
    "several values of one state": bad(
        lambda: nn.Dueling(tnn.Identity(), tnn.Identity())(zeros(3, 2)), ValueError, "[3, 2]", "size 1 at axis -1"
    ),
}
EXPLORATION = {
    "a number for a spec": bad(
        lambda: nn.SafeModule(torch.tanh, 1.0, ["observation"], ["action"]),  # type: ignore[arg-type]
        *(TypeError, "spec is a float", "such as env.action_spec"),
    ),
    "a composite of other entries": bad(
        lambda: nn.SafeModule(torch.tanh, Composite({"a": BOX}), ["observation"], ["action"]),
        *(ValueError, "['a']", "none of them among out_keys"),
    ),
    "eps above one": bad(lambda: nn.EGreedyModule(BOX, eps_init=1.5), ValueError, "eps_init is 1.5", "at most 1"),
    "annealing in no steps": bad(
        lambda: nn.EGreedyModule(BOX, annealing_num_steps=0), ValueError, "annealing_num_steps is 0", "at least 1"
    ),
    "exploration without a spec": bad(
        lambda: nn.EGreedyModule(None),
        TypeError,
        "spec is a NoneType",
        "such as env.action_spec",  # type: ignore[arg-type]
    ),
    "exploration without a key": bad(
        lambda: nn.EGreedyModule(OneHot(2))(ONE_HOT), TypeError, "needs key=", "ExplorationType.DETERMINISTIC"
    ),
    "exploration of other actions": bad(
        lambda: nn.EGreedyModule(OneHot(3))(ONE_HOT, key=KEY),
        ValueError,
        "[3, 2]",
        "[3]",
        "give the spec of the actions",
    ),
    "exploration of actions of another dtype": bad(
        lambda: nn.EGreedyModule(BOX)(ONE_HOT, key=KEY), TypeError, "torch.int64", "torch.float32", "give the spec"
    ),
    "a mask of a box": bad(
        lambda: nn.EGreedyModule(BOX, action_mask_key="mask"), TypeError, "'mask'", "Bounded", "OneHot or Categorical"
    ),
    "a mask of other actions": bad(
        lambda: nn.EGreedyModule(OneHot(2), action_mask_key="mask")(ONE_HOT, key=KEY),
        *(ValueError, "the action mask has shape [3, 3]", "[3, 2]", "one flag for each action"),
    ),
    "keys for rows that the spec includes": bad(
        lambda: nn.EGreedyModule(OneHot(2, (3, 2)))(ONE_HOT, key=KEY.expand(3, 2)),
        *(ValueError, "batch axes [3]", "[3, 2]", "the spec of a single action"),
    ),
    "noise on choices": bad(
        lambda: nn.AdditiveGaussianModule(OneHot(2)), TypeError, "OneHot", "discrete", "use EGreedyModule"
    ),
    "a negative sigma": bad(
        lambda: nn.AdditiveGaussianModule(BOX, sigma_end=-1.0), ValueError, "sigma_end is -1.0", "at least 0"
    ),
    "noise without an action": bad(
        lambda: nn.AdditiveGaussianModule(BOX)(TD, key=KEY), KeyError, "'action'", "it has ['observation', 'reward']"
    ),
    "a process in no time": bad(
        lambda: nn.OrnsteinUhlenbeckProcessModule(BOX, dt=0.0), ValueError, "dt is 0.0", "above 0"
    ),
    "a process on choices": bad(
        lambda: nn.OrnsteinUhlenbeckProcessModule(Categorical(2)), TypeError, "Categorical", "discrete", "EGreedyModule"
    ),
    "a process of another shape": bad(
        lambda: nn.OrnsteinUhlenbeckProcessModule(BOX)(FLOATS.set("ou_noise", zeros(3, 1)), key=KEY),
        *(ValueError, "ou_noise has shape [3, 1]", "[3, 2]", "take it from the step before"),
    ),
    "a process without the beginnings of episodes": bad(
        lambda: nn.OrnsteinUhlenbeckProcessModule(BOX)(FLOATS.exclude("is_init"), key=KEY),
        *(KeyError, "'is_init'", "it has ['action']"),
    ),
    "a count that is not there": bad(
        lambda: nn.advance(nn.EGreedyModule(BOX), TensorDict({"a": 1.0}), 3),
        *(KeyError, "('num_frames',)", "['a']", "buffers(module)"),
    ),
    "a count of nothing": bad(
        lambda: nn.advance(nn.EGreedyModule(BOX), TensorDict({}), 3), KeyError, "num_frames", "buffers(module)"
    ),
    "buffers of a lazy module": bad(
        lambda: nn.buffers(tnn.LazyBatchNorm1d()), ValueError, "LazyBatchNorm1d", "call materialize(module, td) first"
    ),
    "buffers of a part that is lazy": bad(
        lambda: nn.buffers(tnn.Sequential(tnn.LazyBatchNorm1d())), ValueError, "0 (LazyBatchNorm1d)", "call materialize"
    ),
    "noise for a network without noisy layers": bad(
        lambda: nn.draw_noise(make(tnn.Linear, 4, 2), KEY), ValueError, "Linear has no NoisyLinear", "with some"
    ),
    "noise from many keys": bad(
        lambda: nn.draw_noise(make(nn.NoisyLinear, 4, 2), KEY.expand(3, 2)),
        *(ValueError, "key has shape [3, 2]", "vmap over more"),
    ),
    "a noisy layer without inputs": bad(lambda: nn.NoisyLinear(0, 2), ValueError, "in_features is 0", "at least 1"),
    "a negative deviation of weights": bad(
        lambda: nn.NoisyLinear(4, 2, std_init=-0.5), ValueError, "std_init is -0.5", "at least 0"
    ),
    "a bare network made noisy": bad(
        lambda: nn.NoisyModule(make(nn.NoisyLinear, 4, 2)), TypeError, "NoisyLinear", "TensorDictModule(module,"
    ),
    "a noisy policy without a key": bad(
        lambda: nn.NoisyModule(nn.QValueActor(make(nn.NoisyLinear, 4, 2), action_space="one_hot"))(TD),
        *(TypeError, "needs key=", "ExplorationType.DETERMINISTIC"),
    ),
}
MEMORY = {
    "a memory of no units": bad(lambda: nn.LSTMModule(4, 0), ValueError, "hidden_size is 0", "at least 1"),
    "an input of another width": bad(
        lambda: make(nn.LSTMModule, 5, 2)(EMBED), ValueError, "embed has shape [3, 4]", "[3, 5]", "input_size"
    ),
    "a state of another shape": bad(
        lambda: make(nn.LSTMModule, 4, 2)(EMBED.set("recurrent_state_c", zeros(3, 2))),
        *(ValueError, "recurrent_state_c has shape [3, 2]", "[3, 1, 2]", "leave it out for zeros"),
    ),
    "a memory of no layers": bad(lambda: nn.GRUModule(4, 2, 0), ValueError, "num_layers is 0", "at least 1"),
    "a memory without the beginnings of episodes": bad(
        lambda: make(nn.GRUModule, 4, 2)(EMBED.exclude("is_init")), KeyError, "'is_init'", "it has ['embed']"
    ),
    "a sequence without time": bad(
        lambda: nn.over_time(make(nn.GRUModule, 4, 2))(EMBED[0]), ValueError, "[*B, T]", "call the module itself"
    ),
    "a sequence of another width": bad(
        lambda: nn.over_time(make(nn.GRUModule, 5, 2))(EMBED), ValueError, "[3, 4]", "[3, 5]", "input_size"
    ),
    "heads that do not divide": bad(
        lambda: nn.CausalSelfAttention(6, 4),
        ValueError,
        "embed_dim is 6",
        "num_heads, which is 4",
        "another of the two",
    ),
    "attention without heads": bad(lambda: nn.CausalSelfAttention(6, 0), ValueError, "num_heads is 0", "at least 1"),
    "tokens of another size": bad(
        lambda: make(nn.CausalTransformer, 8, 1, 2)(zeros(3, 5, 4)), ValueError, "[3, 5, 4]", "[*B, S, 8]", "embed them"
    ),
    "a mask of other tokens": bad(
        lambda: make(nn.CausalTransformer, 8, 1, 2)(zeros(3, 5, 8), zeros(3, 4, dtype=torch.bool)),
        *(ValueError, "mask has shape [3, 4]", "[3, 5]", "one flag for each token"),
    ),
    "returns on no scale": bad(
        lambda: nn.DecisionTransformer(4, 2, return_scale=0.0), ValueError, "return_scale is 0.0", "above 0"
    ),
    "actions of another size": bad(
        lambda: transformer()(zeros(3, 5, 4), zeros(3, 5, 3), zeros(3, 5, 1), ints(3, 5)),
        *(ValueError, "action has shape [3, 5, 3]", "[3, 5, 2]", "of one batch"),
    ),
    "several choices for a transformer": bad(
        lambda: nn.DecisionTransformerActor(transformer(), MultiCategorical([2, 3])),
        *(TypeError, "MultiCategorical", "give OneHot, Categorical"),
    ),
    "a transformer of other actions": bad(
        lambda: nn.DecisionTransformerActor(transformer(), Unbounded(3)), ValueError, "action_size 2", "action_size=3"
    ),
    "a context of another length": bad(
        lambda: decision(nn.DecisionTransformerActor(transformer(), OneHot(2), 5).recurrent_state_spec.zeros(3)),
        *(ValueError, "has shape [3, 5", "[3, 20", "take the context from the step before"),
    ),
    "a policy without the wanted return": bad(
        lambda: nn.DecisionTransformerActor(transformer(), OneHot(2))(EMBED),
        KeyError,
        "'observation'",
        "it has ['embed'",
    ),
}
POLICIES = {**Q_VALUES, **EXPLORATION, **MEMORY}
