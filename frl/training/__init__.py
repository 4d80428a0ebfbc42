"""Programs: loops over environments and seeds, their evaluation, records and checkpoints."""

from frl.training.loop import Loop as Loop
from frl.training.loop import on_policy as on_policy
from frl.training.loop import population as population
