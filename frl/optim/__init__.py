"""Optimizers: pairs of pure functions over trees of tensors, composed by `chain`.

>>> import torch
>>> optimizer = chain(clip_by_global_norm(0.5), adam(linear(3e-4, 0.0, 1000)))
>>> params = {"w": torch.ones(3)}
>>> state = optimizer.init(params)
>>> grads = torch.func.grad(lambda p: (p["w"] ** 2).sum())(params)
>>> params, state = step(optimizer, grads, state, params)
"""

from frl.optim.adam import adam as adam
from frl.optim.adam import adamw as adamw
from frl.optim.base import Optimizer as Optimizer
from frl.optim.base import Rate as Rate
from frl.optim.base import Schedule as Schedule
from frl.optim.base import apply_updates as apply_updates
from frl.optim.base import chain as chain
from frl.optim.base import stateless as stateless
from frl.optim.base import step as step
from frl.optim.clip import clip_by_global_norm as clip_by_global_norm
from frl.optim.clip import clip_by_value as clip_by_value
from frl.optim.clip import global_norm as global_norm
from frl.optim.evolution import Evolution as Evolution
from frl.optim.evolution import centred_ranks as centred_ranks
from frl.optim.evolution import openai_es as openai_es
from frl.optim.evolution import pgpe as pgpe
from frl.optim.rmsprop import rmsprop as rmsprop
from frl.optim.schedules import constant as constant
from frl.optim.schedules import cosine as cosine
from frl.optim.schedules import exponential as exponential
from frl.optim.schedules import join as join
from frl.optim.schedules import linear as linear
from frl.optim.sgd import sgd as sgd
