"""`TensorDict`: an immutable mapping of names to tensors that share their leading, batch, shape."""

from frl.tensordict.core import Key as Key
from frl.tensordict.scalar import scalar as scalar
from frl.tensordict.tensordict import TensorDict as TensorDict
