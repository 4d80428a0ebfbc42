"""The Decision Transformer: reinforcement learning as the prediction of actions that lead to a wanted return."""

import math

import torch
from torch import Tensor, nn

from frl import check, tree
from frl.nn.exploration_type import ExplorationType
from frl.nn.modules import require_keys, title
from frl.nn.printing import describe
from frl.nn.transformer import CausalTransformer
from frl.specs import Binary, Bounded, Categorical, Composite, OneHot, Spec, Unbounded
from frl.tensordict import Key, TensorDict, scalar


class DecisionTransformer(nn.Module):
    """A causal transformer over returns-to-go, observations and actions, which predicts each action from all before it.

    A step has three tokens, in this order; each is embedded linearly, an embedding of the step's number is added, and
    the output at the observation is mapped to the action. What it predicts for a step is bitwise the same whatever that
    step's action and all that follows are.

    Args: observation_size, action_size: of vectors; a discrete action is a one-hot vector, one entry for each choice.
        embed_dim, num_layers, num_heads: of the transformer. max_steps: steps are numbered below it; later ones share
        its last number. return_scale: returns-to-go are divided by it, so that they are about 1.
    Source: Chen et al. (2021), "Decision transformer: reinforcement learning via sequence modeling", arXiv:2106.01345.

    >>> network = DecisionTransformer(4, 2, embed_dim=32)
    >>> time = torch.arange(20).expand(3, 20)
    >>> network(torch.ones(3, 20, 4), torch.ones(3, 20, 2), torch.ones(3, 20, 1), time).shape
    torch.Size([3, 20, 2])
    """

    def __init__(
        self,
        observation_size: int,
        action_size: int,
        *,
        embed_dim: int = 128,
        num_layers: int = 3,
        num_heads: int = 1,
        max_steps: int = 1000,
        return_scale: float = 1.0,
    ):
        super().__init__()
        sizes = {"observation_size": observation_size, "action_size": action_size, "max_steps": max_steps}
        check.at_least("DecisionTransformer", sizes, 1)
        check.above("DecisionTransformer", {"return_scale": return_scale}, 0)
        self.observation_size, self.action_size = observation_size, action_size
        self.max_steps, self.return_scale = max_steps, return_scale
        self.embed_return = nn.Linear(1, embed_dim)
        self.embed_observation = nn.Linear(observation_size, embed_dim)
        self.embed_action = nn.Linear(action_size, embed_dim)
        self.embed_time = nn.Embedding(max_steps, embed_dim)
        self.norm = nn.LayerNorm(embed_dim)
        self.transformer = CausalTransformer(embed_dim, num_layers, num_heads)
        self.head = nn.Linear(embed_dim, action_size)

    def forward(
        self, observation: Tensor, action: Tensor, return_to_go: Tensor, time: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """What is predicted for the action of each step, [*B, T, A]: logits of a discrete one.

        Args: observation: [*B, T, O]. action: [*B, T, A]; that of the last step is not used. return_to_go: [*B, T, 1],
            the sum of this and all later rewards, or the wanted one. time: [*B, T] integers, the number of each step in
            its episode. mask: [*B, T] boolean, False for padding.
        Raises: ValueError for an argument of another shape.
        """
        steps = observation.shape[:-1]
        remedy = "pass [*B, T, size] each, of one batch"
        check.shape("DecisionTransformer", {"observation": observation}, (*steps, self.observation_size), remedy)
        check.shape("DecisionTransformer", {"action": action}, (*steps, self.action_size), remedy)
        check.shape("DecisionTransformer", {"return_to_go": return_to_go}, (*steps, 1), remedy)
        check.shape("DecisionTransformer", {"time": time}, steps, "pass one integer for each step")
        embedded = (
            self.embed_return(return_to_go / self.return_scale),
            self.embed_observation(observation),
            self.embed_action(action),
        )
        tokens = torch.stack(embedded, -2) + self.embed_time(time.clamp(0, self.max_steps - 1)).unsqueeze(-2)
        visible = None if mask is None else mask.repeat_interleave(3, -1)
        hidden = self.transformer(self.norm(tokens.flatten(-3, -2)), visible)
        # of a strided input torch adds a linear layer's bias in place, and a graph with writes compiles slowly
        return self.head(hidden.unflatten(-2, (-1, 3))[..., 1, :].contiguous())


class DecisionTransformerActor(nn.Module):
    """A policy that acts by a `DecisionTransformer`; `frl.objectives.DTLoss` is what it is trained by.

    It reads "observation" [*B, O], "return_to_go" [*B, 1] (the wanted return less the rewards so far) and "is_init"
    [*B, 1], and writes "action". Its memory, the last `context` steps, is the nested entry "context", read at the root,
    as empty where it is missing or "is_init" is set, and written under "next", from where a step of the environment
    takes it to the following root. `recurrent_state_spec` is its spec; a reset is to put zeros there. The action is the
    most likely one; a continuous one is, between finite bounds, a tanh scaled to them. In an environment the transforms
    `InitTracker()`, `TargetReturn(wanted)` and `make_tensordict_primer(actor)` provide for all of this.

    Args: network: of the sizes of the specs. spec: of one action: OneHot, Categorical, Bounded or Unbounded. context:
        K, the number of steps that it looks at.
    Raises: TypeError for another spec; ValueError if the network has another action size.

    >>> actor = DecisionTransformerActor(DecisionTransformer(4, 2, embed_dim=32), OneHot(2), context=20)
    >>> first = {"return_to_go": torch.full((3, 1), 500.0), "is_init": torch.ones(3, 1, dtype=torch.bool)}
    >>> td = actor(TensorDict({"observation": torch.ones(3, 4), **first}, [3]))
    >>> td["action"].shape, td["next", "context", "mask"].sum(-1).tolist()
    (torch.Size([3, 2]), [1, 1, 1])
    """

    in_keys: list[Key]
    out_keys: list[Key]
    draws = False

    def __init__(self, network: DecisionTransformer, spec: Spec, context: int = 20):
        super().__init__()
        size = _size(spec)
        if size is None:
            shape = list(getattr(spec, "shape", ()))
            raise TypeError(
                f"DecisionTransformerActor: spec is a {type(spec).__name__} of shape {shape}; give OneHot, "
                "Categorical, or Bounded or Unbounded floats of one axis, as env.single_action_spec is."
            )
        if network.action_size != size:
            raise ValueError(
                f"DecisionTransformerActor: the network has action_size {network.action_size} but an action of the "
                f"spec has {size} entries; build it with action_size={size}."
            )
        check.at_least("DecisionTransformerActor", {"context": context}, 1)
        self.network = network
        self.spec = spec
        self.context = context
        entries = list(self.recurrent_state_spec["context"])
        self.in_keys = ["observation", "return_to_go", "is_init", *[("context", name) for name in entries]]
        self.out_keys = ["action", *[("next", "context", name) for name in entries]]

    @property
    def recurrent_state_spec(self) -> Composite:
        """What is carried from step to step: the last K steps, the newest last, "mask" False where there is none."""
        k, network, device = self.context, self.network, self.spec.device
        sizes = {"observation": network.observation_size, "action": network.action_size, "return_to_go": 1}
        window = {name: Unbounded((k, size), device, network.head.weight.dtype) for name, size in sizes.items()}
        integers = {"time": Unbounded(k, device, torch.int64), "mask": Binary(k, device, torch.bool)}
        return Composite({"context": Composite({**window, **integers})})

    def forward(
        self, td: TensorDict, key: Tensor | None = None, exploration: ExplorationType | None = None
    ) -> TensorDict:
        """`td` [*B] with the action and, under "next", the context; neither `key` nor `exploration` is used."""
        require_keys(self, td, ["observation", "return_to_go", "is_init"])
        before, n = self._window(td), td.batch_dims
        started = before["mask"].select(n, -1)
        now = {
            "observation": td["observation"],
            "action": torch.zeros_like(before["action"].select(n, -1)),
            "return_to_go": td["return_to_go"],
            "time": torch.where(started, before["time"].select(n, -1) + 1, 0),
            "mask": torch.ones_like(started),
        }
        window = {name: _appended(before[name], newest, n) for name, newest in now.items()}
        action = self.decode(self.network(**window)[..., -1, :])
        window["action"] = _appended(before["action"], self.encode(action), n)
        return td.set("action", action).set(("next", "context"), window)

    def predict(self, td: TensorDict) -> Tensor:
        """What the network predicts for every action of a batch [*B, T], [*B, T, A]: what a loss is made of.

        `functional_call(actor.predict, params, batch)` is the pure form.

        Args: td: windows of at most `context` steps: "observation" [*B, T, O], "action" as the spec says,
            "return_to_go" [*B, T, 1] floating point, "time" [*B, T, 1] integers and, optionally, "mask" [*B, T]
            boolean, False for padding.
        """
        require_keys(self, td, ["observation", "action", "return_to_go", "time"])
        action, mask = self.encode(td["action"]), None
        if "mask" in td:
            mask = td["mask"]
            check.shape(title(self), {"mask": mask}, td.batch_size, "pass one flag for each step")
        return self.network(td["observation"], action, td["return_to_go"], scalar(td, "time"), mask)

    def encode(self, action: Tensor) -> Tensor:
        """Actions as vectors [*, A] of the network's dtype: a choice as its one-hot vector."""
        dtype = self.network.head.weight.dtype
        one_hot = self.spec.to_one_hot().from_index(action) if isinstance(self.spec, Categorical) else action
        return one_hot.to(dtype)

    def decode(self, prediction: Tensor) -> Tensor:
        """The actions that a prediction [*, A] means."""
        spec = self.spec
        if isinstance(spec, (OneHot, Categorical)):
            return spec.from_index(prediction.argmax(-1))
        if isinstance(spec, Bounded) and spec._finite:
            return spec.low + (prediction.tanh() + 1) / 2 * (spec.high - spec.low)
        return prediction

    def _window(self, td: TensorDict) -> dict[str, Tensor]:
        """The context at the root, empty where an episode begins."""
        empty = dict(self.recurrent_state_spec["context"].to(td["observation"].device).zeros(td.batch_size).items())
        if "context" not in td:
            return empty
        restarted, before = scalar(td, "is_init"), td["context"]
        for name, blank in empty.items():
            remedy = "take the context from the step before, or leave it out"
            check.shape(title(self), {name: before.get(name)}, blank.shape, remedy)
        return {name: tree.where(restarted, blank, before[name]) for name, blank in empty.items()}

    def __repr__(self) -> str:
        return describe(self, f"network={self.network}", f"context={self.context}")


def _size(spec: Spec) -> int | None:
    """The entries of an action as a vector, or None if it is none."""
    if isinstance(spec, (OneHot, Categorical)):
        return spec.n if len(spec.shape) == int(isinstance(spec, OneHot)) else None
    if isinstance(spec, (Bounded, Unbounded)) and spec.domain == "continuous" and len(spec.shape) == 1:
        return math.prod(spec.shape)
    return None


def _appended(window: Tensor, newest: Tensor, time: int) -> Tensor:
    """[*B, K, ...] without its oldest step and with the newest [*B, ...]; `time` is the rank of B."""
    return torch.cat([window.narrow(time, 1, window.shape[time] - 1), newest.unsqueeze(time)], time)
