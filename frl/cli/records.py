"""A training under way, and what it writes: metrics, evaluations with the best state, and progress."""

import contextlib
from functools import partial
from pathlib import Path
from typing import NamedTuple

from frl.cli.build import Training, evaluation_metrics, evaluator
from frl.cli.errors import usage_errors
from frl.cli.options import Options, to_json
from frl.cli.run_directory import BEST, EVALUATIONS, METRICS
from frl.tensordict import TensorDict
from frl.training.best import keep_best
from frl.training.log import csv_log, require_wandb, tensorboard_log, wandb_log
from frl.training.progress import progress
from frl.training.run import Callback, every, measured


class Run(NamedTuple):
    """A training under way: its algorithm, its directory, its state, and the updates that state has seen."""

    name: str
    directory: Path
    options: Options
    training: Training
    compiled: bool
    state: TensorDict
    updates: int


def require_loggers(options: Options) -> None:
    """Raises UsageError if a library that `--log` names is not installed."""
    with usage_errors(ImportError):
        if "wandb" in options.log:
            require_wandb()


def records(job: Run, stack: contextlib.ExitStack) -> list[Callback]:
    """The callbacks that write what `job` goes on to do; `stack` closes what they hold open."""
    options, done = job.options, job.state["step"]
    total = options.num_updates * options.num_envs * options.rollout_length * len(options.members)
    elsewhere = _elsewhere(job, stack)
    show = stack.enter_context(progress(total, int(done.sum())))
    callbacks = [*_csv(job, METRICS, stack), *elsewhere, show]
    if options.eval_every:
        measure = partial(evaluation_metrics, options, stack.enter_context(evaluator(job.training, options)))
        keep = keep_best(job.directory / BEST, {"algorithm": job.name, "options": to_json(options)})
        evaluation = measured(measure, [*_csv(job, EVALUATIONS, stack), *elsewhere, keep])
        callbacks.append(every(options.updates_per_evaluation, evaluation))
    return callbacks


def _csv(job: Run, name: str, stack: contextlib.ExitStack) -> list[Callback]:
    if "csv" not in job.options.log:
        return []
    seeds = [member.seed for member in job.options.members]
    return [stack.enter_context(csv_log(job.directory / name, seeds, job.updates, job.options.varied))]


def _elsewhere(job: Run, stack: contextlib.ExitStack) -> list[Callback]:
    """Those that take metrics of any kind, of updates and of evaluations."""
    callbacks: list[Callback] = []
    if "tensorboard" in job.options.log:
        resumed = int(job.state["step"].max()) if job.updates else None
        callbacks.append(stack.enter_context(tensorboard_log(job.directory / "tensorboard", resumed)))
    if "wandb" in job.options.log:
        config = {"algorithm": job.name, **to_json(job.options)}
        callbacks.append(stack.enter_context(wandb_log(job.directory, config, name=job.directory.name)))
    return callbacks
