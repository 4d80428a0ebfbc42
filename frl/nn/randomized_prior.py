"""Randomised prior functions: networks that disagree where they have learnt nothing."""

from typing import Any

import torch
from torch import Tensor, nn

from frl.nn.exploration_type import ExplorationType
from frl.nn.printing import describe
from frl.tensordict import Key, TensorDict


class RandomizedPrior(nn.Module):
    """Adds to what `module` writes `scale` times what `prior` writes under the same keys, which no gradient reaches.

    Members of an ensemble that all fit the same data agree there, and elsewhere differ as their priors do: their
    disagreement says how little is known. The priors are drawn once, with the other parameters. `scale` is a buffer, a
    0-d tensor, so that `functional_call(network, params.set("scale", scale), td)` takes another.

    Args: module, prior: modules over TensorDicts with the same out_keys, which draw nothing.
    Raises: TypeError for other modules; ValueError if their out_keys differ.
    Source: Osband et al. (2018), "Randomized prior functions for deep reinforcement learning", arXiv:1806.03335.

    >>> from frl.nn import TensorDictModule
    >>> double, one = (TensorDictModule(f, ["x"], ["y"]) for f in (lambda x: 2 * x, torch.ones_like))
    >>> RandomizedPrior(double, one, scale=3.0)(TensorDict({"x": torch.tensor([5.0])}, [1]))["y"]
    tensor([13.])
    """

    in_keys: list[Key]
    out_keys: list[Key]
    draws = False
    scale: Tensor

    def __init__(self, module: Any, prior: Any, scale: float = 1.0):
        super().__init__()
        for name, part in (("module", module), ("prior", prior)):
            if not isinstance(part, nn.Module) or not hasattr(part, "out_keys") or part.draws:
                raise TypeError(
                    f"{type(self).__name__}: {name} is a {type(part).__name__} but must be a module over TensorDicts "
                    "that draws nothing; wrap it as TensorDictModule(module, in_keys, out_keys)."
                )
        if module.out_keys != prior.out_keys:
            raise ValueError(
                f"{type(self).__name__}: module writes {module.out_keys} but prior writes {prior.out_keys}; give both "
                "the same out_keys."
            )
        self.module: Any = module
        self.prior: Any = prior
        self.in_keys = [*module.in_keys, *(key for key in prior.in_keys if key not in module.in_keys)]
        self.out_keys = list(module.out_keys)
        self.register_buffer("scale", torch.tensor(float(scale)))

    def forward(
        self, td: TensorDict, key: Tensor | None = None, exploration: ExplorationType | None = None
    ) -> TensorDict:
        """`td` with the sums; neither `key` nor `exploration` is used, for nothing is drawn."""
        out, fixed = self.module(td), self.prior(td)
        for name in self.out_keys:
            out = out.set(name, out[name] + self.scale.to(out[name].dtype) * fixed[name].detach())
        return out

    def __repr__(self) -> str:
        return describe(self, f"module={self.module}", f"scale={float(self.scale):g}")
