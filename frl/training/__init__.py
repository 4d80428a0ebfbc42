"""Programs: loops over environments and seeds, their evaluation, records and checkpoints."""

from frl.training.checkpoint import Checkpoint as Checkpoint
from frl.training.checkpoint import CorruptCheckpoint as CorruptCheckpoint
from frl.training.checkpoint import load as load
from frl.training.checkpoint import load_latest as load_latest
from frl.training.checkpoint import save as save
from frl.training.evaluate import evaluate as evaluate
from frl.training.log import csv_log as csv_log
from frl.training.log import tensorboard_log as tensorboard_log
from frl.training.loop import Loop as Loop
from frl.training.loop import population as population
from frl.training.off_policy import off_policy as off_policy
from frl.training.on_policy import on_policy as on_policy
from frl.training.progress import progress as progress
from frl.training.run import every as every
from frl.training.run import require_finite as require_finite
from frl.training.run import save_checkpoint as save_checkpoint
from frl.training.run import stop_when as stop_when
from frl.training.run import train as train
from frl.training.serialize import state_hash as state_hash
from frl.training.statistics import bootstrap_interval as bootstrap_interval
from frl.training.statistics import interquartile_mean as interquartile_mean
from frl.training.statistics import summarize as summarize
