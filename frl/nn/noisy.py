"""Exploration by noise in the weights, whose size is learnt."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from frl import check, random
from frl.nn.exploration_type import ExplorationType, exploration_type
from frl.nn.modules import require_key
from frl.nn.params import from_module, functional_call
from frl.nn.printing import describe
from frl.tensordict import Key, TensorDict


class NoisyLinear(nn.Module):
    """A linear layer whose weights and biases are μ + σ·ε, with factorised Gaussian noise ε and learnt μ and σ.

    ε of a weight is the product of `noise_in` [in] and `noise_out` [out], that of a bias is `noise_out`. These are
    buffers, zero until others are given, which makes the layer that of the means. `draw_noise` makes values for all
    such layers of a network, and `NoisyModule` gives them to a policy.

    Args: in_features, out_features: sizes. std_init: σ starts at std_init / √in_features.
    Source: Fortunato et al. (2018), "Noisy networks for exploration", arXiv:1706.10295, eq. 10 and 11.

    >>> layer = NoisyLinear(4, 2)
    >>> layer(torch.ones(7, 4)).shape, layer.weight_std[0, 0].item()
    (torch.Size([7, 2]), 0.25)
    """

    noise_in: Tensor
    noise_out: Tensor

    def __init__(self, in_features: int, out_features: int, std_init: float = 0.5):
        super().__init__()
        check.at_least("NoisyLinear", {"in_features": in_features, "out_features": out_features}, 1)
        check.at_least("NoisyLinear", {"std_init": std_init}, 0)
        mean = nn.Linear(in_features, out_features)  # uniform within ±1/√in_features, as the paper's means
        std = std_init / math.sqrt(in_features)
        self.in_features, self.out_features, self.std_init = in_features, out_features, std_init
        self.weight = mean.weight
        self.bias = mean.bias
        self.weight_std = nn.Parameter(torch.full((out_features, in_features), std))
        self.bias_std = nn.Parameter(torch.full((out_features,), std))
        self.register_buffer("noise_in", torch.zeros(in_features))
        self.register_buffer("noise_out", torch.zeros(out_features))

    def forward(self, x: Tensor) -> Tensor:
        """[*B, in_features] -> [*B, out_features]."""
        weight = self.weight + self.weight_std * (self.noise_out.unsqueeze(-1) * self.noise_in)
        return linear(x, weight, self.bias + self.bias_std * self.noise_out)

    def initial_parameters(self, key: Tensor) -> dict[str, Tensor]:
        """The parameters that the constructor would draw, from `key`, for `initialize`."""
        bound = 1 / math.sqrt(self.in_features)
        k_weight, k_bias = random.split(key)
        dtype = self.weight.dtype
        return {
            "weight": random.uniform(self.weight.shape, k_weight, low=-bound, high=bound, dtype=dtype),
            "bias": random.uniform(self.bias.shape, k_bias, low=-bound, high=bound, dtype=dtype),
            "weight_std": torch.full_like(self.weight_std, self.std_init * bound),
            "bias_std": torch.full_like(self.bias_std, self.std_init * bound),
        }

    def extra_repr(self) -> str:
        """The sizes, for the printed form."""
        return f"in_features={self.in_features}, out_features={self.out_features}, std_init={self.std_init}"


def draw_noise(module: nn.Module, key: Tensor) -> TensorDict:
    """New noise for every `NoisyLinear` in `module`, nested as its submodules are, a TensorDict with batch size [].

    `functional_call(module, params.update(draw_noise(module, key)), x)` is the noisy call; a training step gives the
    online and the target network noise of different keys. One draw serves a whole batch.

    Args: key: [2].
    Raises: ValueError if there is no such layer, or for more than one key.

    >>> net = nn.Sequential(NoisyLinear(4, 8), nn.Tanh(), NoisyLinear(8, 2))
    >>> draw_noise(net, random.key(0))["2", "noise_in"].shape
    torch.Size([8])
    """
    found = [(path, part) for path, part in module.named_modules() if isinstance(part, NoisyLinear)]
    if not found:
        raise ValueError(f"draw_noise: {type(module).__name__} has no NoisyLinear in it; build the network with some.")
    check.shape("draw_noise", {"key": key}, [2], "pass one key, and vmap over more")
    noise = TensorDict({})
    for (path, layer), own in zip(found, random.split(key, len(found)), strict=True):
        k_in, k_out = random.split(own)
        prefix = tuple(path.split(".")) if path else ()
        noise = noise.set((*prefix, "noise_in"), _factor(layer.noise_in, k_in))
        noise = noise.set((*prefix, "noise_out"), _factor(layer.noise_out, k_out))
    return noise


class NoisyModule(nn.Module):
    """A module over TensorDicts whose `NoisyLinear` layers get new noise in every call that explores.

    It explores, and needs `key=`, where the exploration type is RANDOM or nothing is said of it; MODE, MEAN and
    DETERMINISTIC leave the noise as it is, zero unless values are given for these buffers.

    Args: module: a module over TensorDicts, such as a `QValueActor`.
    Raises: TypeError for another module; ValueError, when called, if it has no `NoisyLinear`.

    >>> from frl.nn import MLP, QValueActor
    >>> net = nn.Sequential(MLP(4, 32, num_cells=[], activate_last_layer=True), NoisyLinear(32, 2))
    >>> policy = NoisyModule(QValueActor(net, action_space="categorical"))
    >>> policy(TensorDict({"observation": torch.ones(7, 4)}, [7]), key=random.key(0))["action"].shape
    torch.Size([7])
    """

    in_keys: list[Key]
    out_keys: list[Key]
    draws = True

    def __init__(self, module: Any):
        super().__init__()
        if not isinstance(module, nn.Module) or not hasattr(module, "out_keys"):
            raise TypeError(
                f"{type(self).__name__}: module is a {type(module).__name__}; wrap it as TensorDictModule(module, "
                "in_keys, out_keys)."
            )
        self.module: Any = module
        self.in_keys, self.out_keys = list(self.module.in_keys), list(self.module.out_keys)

    def forward(
        self, td: TensorDict, key: Tensor | None = None, exploration: ExplorationType | None = None
    ) -> TensorDict:
        """`td` with what the module writes. key: [2], if it explores, or [*K, 2], other noise for each row."""
        exploration = exploration or exploration_type()
        if not (exploration or ExplorationType.RANDOM).draws:
            return self.module(td, key=key, exploration=exploration)
        if require_key(self, key).ndim > 1:
            return torch.vmap(lambda td, key: self(td, key, exploration))(td, key)
        k_noise, k_module = random.split(require_key(self, key))
        params = from_module(self.module, live=True).update(draw_noise(self.module, k_noise))
        k_module = k_module if self.module.draws else None
        return functional_call(self.module, params, td, key=k_module, exploration=exploration)

    def __repr__(self) -> str:
        return describe(self, f"module={self.module}")


def _factor(like: Tensor, key: Tensor) -> Tensor:
    """sign(x)·√|x| of standard normal x."""
    x = random.normal(like.shape, key, dtype=like.dtype)
    return x.sign() * x.abs().sqrt()
