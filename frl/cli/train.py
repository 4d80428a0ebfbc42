"""`frl train ALGORITHM`: trains, evaluates, leaves a run directory, and continues one that was interrupted.

`frl sweep ALGORITHM` is the same with more members: the values of one or more hyperparameters.
"""

import contextlib
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from frl import random
from frl.cli.build import Training, build, compiled_step, evaluation_returns, initial_state, or_eager, should_compile
from frl.cli.errors import UsageError, usage_errors
from frl.cli.options import Options, command_line, read_options, to_json
from frl.cli.plot import draw_sweep
from frl.cli.records import Run, records, require_loggers
from frl.cli.report import print_evaluation
from frl.cli.run_directory import BEST, CHECKPOINTS, CONFIG, METRICS, RESULT, SWEEP, create, read_config, write_json
from frl.cli.signals import Interrupt, interruptible
from frl.cli.vary import flag
from frl.collectors import start
from frl.tensordict import TensorDict
from frl.training import checkpoint
from frl.training.run import Callback, every, require_finite, save_checkpoint
from frl.training.run import train as run
from frl.training.serialize import state_hash
from frl.training.sweep import best, told, trials


def train(name: str, arguments: Sequence[str]) -> int:
    """Runs the command for the algorithm `name`; returns the exit code."""
    return _command(name, read_options(name, arguments))


def sweep(name: str, arguments: Sequence[str]) -> int:
    """Runs the command for the algorithm `name`; returns the exit code. Raises: UsageError if nothing varies."""
    options = read_options(name, arguments, "sweep")
    if not options.vary:
        raise UsageError(
            "sweep: nothing varies; name a hyperparameter and its values, as by --vary learning-rate log:1e-4:1e-2:8."
        )
    return _command(name, options)


def _command(name: str, options: Options) -> int:
    require_loggers(options)
    job = _begin(name, options) if options.resume is None else _resume(name, options, options.resume)
    with interruptible() as interrupt:
        job = _train(job, interrupt)
    if interrupt.number:
        where = f"{job.directory} at step {int(job.state['step'].max()):,}"
        print(
            f"interrupted: saved {where}; continue by: frl train {job.name} --resume {job.directory}", file=sys.stderr
        )
        return 128 + interrupt.number
    _finish(job)
    return 0


def _begin(name: str, options: Options) -> Run:
    training = build(name, options)
    compiled, why = should_compile(training.recipe, options, training.env.pure)
    options = _set_threads(options)
    directory = create(options.out, f"{name}_{options.env}_{options.seed}")
    write_json(directory / CONFIG, {"algorithm": name, "options": to_json(options), "compiled": compiled})
    _announce(training, options, directory, compiled, why)
    return Run(name, directory, options, training, compiled, initial_state(training, options), 0)


def _resume(name: str, options: Options, directory: Path) -> Run:
    config = read_config(directory)
    training = build(name, options)
    compiled, why = bool(config.get("compiled")), "as before"
    if options.compile != config["options"]["compile"]:
        compiled, why = should_compile(training.recipe, options, training.env.pure)
    options = _set_threads(options)
    write_json(directory / CONFIG, {"algorithm": name, "options": to_json(options), "compiled": compiled})
    _announce(training, options, directory, compiled, why)
    try:
        with usage_errors(checkpoint.CorruptCheckpoint):
            found = checkpoint.load_latest(directory / CHECKPOINTS)
    except FileNotFoundError:
        print("resume: no checkpoint was saved; starting from the beginning")
        return Run(name, directory, options, training, compiled, initial_state(training, options), 0)
    state = found.state
    print(f"resume: from step {found.step:,}")
    if not training.env.pure:
        print(
            f"resume: {options.env} cannot be saved: its episodes start anew, a statistical resume, not a bitwise one"
        )
        key = random.fold_in(state["key"], found.step)
        state = state.set("runner", start(training.env, key))
    return Run(name, directory, options, training, compiled, state, found.metadata["updates"])


def _train(job: Run, interrupt: Interrupt) -> Run:
    options, updates = job.options, job.updates
    step = job.training.loop.step
    if job.compiled:
        compiled = compiled_step(job.training, options)
        step = or_eager(compiled, step) if options.compile == "auto" else compiled
    save = save_checkpoint(job.directory / CHECKPOINTS, {"algorithm": job.name, "options": to_json(options)})

    def count(number: int, state: TensorDict, metrics: TensorDict) -> None:
        nonlocal updates
        updates = number

    with contextlib.ExitStack() as stack:
        callbacks: list[Callback] = [
            require_finite,
            *records(job, stack),
            every(options.checkpoint_every, save),
            count,
            interrupt,
        ]
        state = run(step, job.state, options.num_updates, callbacks, job.updates)
    save(updates, state, state)
    return job._replace(state=state, updates=updates)


def _finish(job: Run) -> None:
    returns = evaluation_returns(job.training, job.options, job.state)
    digest = state_hash(job.state)
    result = {
        "step": int(job.state["step"].max()),
        "state_sha256": digest,
        "seeds": [member.seed for member in job.options.members],
        "evaluation_returns": returns.tolist(),
        "mean_return": returns.mean().item(),
    }
    winner = _best(job, returns) if job.options.vary else {}
    write_json(job.directory / RESULT, {**result, **winner})
    if (job.directory / BEST).exists():
        print(f"best: {job.directory / BEST}; frl eval {job.directory} --checkpoint best evaluates it")
    if job.options.print_hash:
        print(f"state: sha256 {digest}")
    if winner:
        print(f"best of the sweep: {told(winner['best'])}: {winner['command']}")
    print_evaluation(returns, job.options.seeds, job.options.varied)
    _draw(job)


def _best(job: Run, returns: Tensor) -> dict[str, Any]:
    """What a sweep has found, of JSON's types: each member's values, the best ones, and the command that trains so."""
    options = job.options
    chosen = best(trials(options.varied, returns.mean(1))).hyperparameters
    config: Any = vars(options)["config"]
    alone = dataclasses.replace(options, vary=(), chunk=0, config=config._replace(**chosen))  # type: ignore[call-arg]
    return {"hyperparameters": options.varied, "best": chosen, "command": command_line(job.name, alone)}


def _draw(job: Run) -> None:
    """The learning curve or the sweep, last of all: drawing takes longer than a short training."""
    if job.options.vary:
        draw_sweep(job.directory, job.options, job.directory / SWEEP)
        return
    from frl.training.plot import plot, read_curves

    file = job.directory / METRICS
    curves = read_curves(file) if file.exists() else []
    if curves:
        plot({f"{job.training.recipe.title}, {job.options.env}": curves}, job.directory / "curve.png")


def _announce(training: Training, options: Options, directory: Path, compiled: bool, why: str) -> None:
    seeds = f"seed {options.seed}" if options.num_seeds == 1 else f"seeds {options.seed}–{options.seeds[-1]}"
    size = f"{options.steps:,} steps in {options.num_envs} environments, {options.num_updates} updates"
    print(f"{training.recipe.title} on {options.env}: {seeds}, {size}")
    if options.vary:
        varied = " × ".join(f"{len(set(values))} of {flag(name)}" for name, values in options.varied.items())
        print(f"sweep: {varied} × {options.num_seeds} seeds: {len(options.members)} members")
    print(f"run directory: {directory}")
    print(f"compile: {'yes' if compiled else 'no'}: {why}", flush=True)


def _set_threads(options: Options) -> Options:
    """Sets the threads and returns the options with their number, on which the last bits of a result depend."""
    if options.num_threads:
        torch.set_num_threads(options.num_threads)
    return dataclasses.replace(options, num_threads=torch.get_num_threads())
