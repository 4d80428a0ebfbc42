"""What one of several environments shows, before it is stepped: as plain data, which goes between processes."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from frl import tree
from frl.envs.base import Env
from frl.specs import Composite, Spec
from frl.specs.plain import from_plain, to_plain
from frl.tensordict import TensorDict
from frl.tensordict.files import describe, restore

_FLAGS = ("done", "terminated", "truncated")


class Outline(NamedTuple):
    """What an environment of batch size [*B] shows.

    `begin` and `after` are TensorDicts of zeros, such as a reset returns and a step puts under "next". `own` names the
    entries of a reset that are neither observations nor flags: the environment's own, which a step reads again.
    """

    batch_size: torch.Size
    device: torch.device | None
    max_steps: int | None
    pure: bool
    keyed_steps: bool
    state_keys: tuple[str, ...]
    observation: Composite
    action: Spec
    begin: TensorDict
    after: TensorDict

    @property
    def own(self) -> tuple[str, ...]:
        """The keys of a reset that are neither observations nor flags."""
        return tuple(key for key in self.begin if key not in self.observation and key not in _FLAGS)

    @property
    def given(self) -> TensorDict:
        """What a step may be given, as zeros: the action and the environment's own entries."""
        own = {key: self.begin[key] for key in self.own}
        return TensorDict({**own, "action": self.action.zeros(self.batch_size)}, self.batch_size, self.device)


def sketch(env: Env, td: TensorDict) -> dict[str, Any]:
    """The outline of `env` as plain data; `td` is what its reset returned.

    Raises: ValueError that names the entry if the reset does not observe what the specs promise.
    """
    expected = dict(tree.named_leaves(env.observation_spec.zeros()))
    found = dict(tree.named_leaves(td))
    for name, x in expected.items():
        y = found.get(name)
        if y is None or y.shape != x.shape or y.dtype != x.dtype:
            there = "is missing" if y is None else f"is {y.dtype} {list(y.shape)}"
            raise ValueError(f"{env}: {name!r} of a reset {there} but the spec says {x.dtype} {list(x.shape)}.")
    return {
        "name": repr(env),
        "batch_size": list(env.batch_size),
        "device": env.device and str(env.device),
        "max_steps": env.max_steps,
        "pure": env.pure,
        "keyed_steps": env.keyed_steps,
        "state_keys": list(env.state_keys),
        "observation": to_plain(env.single_observation_spec),
        "action": to_plain(env.single_action_spec),
        "reward": _leaf(torch.zeros((), dtype=env.reward_dtype)),
        "begin": form_of(td),
    }


def outline(plain: Mapping[str, Any]) -> Outline:
    """The outline that `sketch` drew."""
    batch, observation, action = (
        torch.Size(plain["batch_size"]),
        *map(from_plain, (plain["observation"], plain["action"])),
    )
    assert isinstance(observation, Composite)
    assert isinstance(action, Spec)
    begin = blank(plain["begin"])
    reward = torch.zeros((*batch, 1), dtype=getattr(torch, plain["reward"]["dtype"]))
    device = plain["device"] and torch.device(plain["device"])
    rest = (plain["max_steps"], plain["pure"], plain["keyed_steps"], tuple(plain["state_keys"]))
    return Outline(batch, device, *rest, observation, action, begin, begin.set("reward", reward))


def form_of(td: TensorDict) -> dict[str, Any]:
    """The keys, shapes, dtypes and devices of `td` as plain data."""
    return {"tensordict": describe(td), "leaves": {name: _leaf(x) for name, x in tree.named_leaves(td)}}


def blank(form: Mapping[str, Any]) -> TensorDict:
    """Zeros of that form.

    >>> blank(form_of(TensorDict({"a": torch.ones(2)}, [2])))["a"]
    tensor([0., 0.])
    """
    leaves, text = form["leaves"], json.dumps(form["tensordict"])
    return restore(TensorDict, "the form", text, lambda name: _zeros(leaves[name]), None)


def agreed(owner: str, sketches: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The sketch of all, if they are equal in all but the name.

    Raises: ValueError that names the first worker which differs, and in what.

    >>> agreed("SerialEnv", [{"device": "cpu"}, {"device": None}])
    Traceback (most recent call last):
    ValueError: SerialEnv: worker 1 differs from worker 0 in device: None, not 'cpu'; all must be alike.
    """
    for i, each in enumerate(sketches):
        difference = _difference({**sketches[0], "name": ""}, {**each, "name": ""}, "")
        if difference is not None:
            raise ValueError(f"{owner}: worker {i} differs from worker 0 in {difference}; all must be alike.")
    return sketches[0]


def _difference(first: Any, other: Any, path: str) -> str | None:
    if isinstance(first, Mapping) and isinstance(other, Mapping):
        for key in [*first, *other]:
            if first.get(key) != other.get(key):
                return _difference(first.get(key), other.get(key), f"{path}.{key}" if path else key)
        return None
    return None if first == other else f"{path}: {_short(other)}, not {_short(first)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _leaf(x: Tensor) -> dict[str, Any]:
    return {"shape": list(x.shape), "dtype": str(x.dtype).removeprefix("torch.")}


def _zeros(leaf: Mapping[str, Any]) -> Tensor:
    return torch.zeros(leaf["shape"], dtype=getattr(torch, leaf["dtype"]))
