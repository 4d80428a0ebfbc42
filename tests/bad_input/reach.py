"""Which public names of the library a bad call is a bad call of: what was called, and what refused it.

Both are read off the traceback, as its first and its last public name: a function whose code, or whose inner
functions' code, is there, or the class of an object whose method is.
"""

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import CodeType, FrameType, TracebackType
from typing import Any

import frl

PACKAGES = [f"frl.{info.name}" for info in pkgutil.iter_modules(frl.__path__) if info.ispkg]
OPEN_MODULES = ["frl.random", "frl.control", "frl.tree"]  # used as modules: all that they define is public

EXEMPT = {
    "abstract: called through what derives from it": (
        "collectors.DataCollector distributions.Distribution envs.Env replay.Sampler replay.Storage specs.Spec "
        "transforms.Entrywise transforms.Transform"
    ),
    "a tuple of functions or of results, which its makers check": (
        "algorithms.ActorCritic algorithms.ActorQ algorithms.Algorithm algorithms.Dynamics algorithms.MetaAlgorithm "
        "algorithms.QNetwork functional.Moments functional.VTrace optim.Evolution optim.Optimizer replay.Buffer "
        "training.Checkpoint training.Loop training.Reference"
    ),
    "settings, which their algorithm refuses": (
        "algorithms.A2CConfig algorithms.BootstrappedDQNConfig algorithms.DDPGConfig algorithms.DQNConfig "
        "algorithms.DTConfig algorithms.MAMLConfig algorithms.ModelBasedConfig algorithms.PPOConfig "
        "algorithms.PPOPenaltyConfig algorithms.REDQConfig algorithms.ReinforceConfig algorithms.SACConfig "
        "algorithms.TD3Config"
    ),
    "an error: raised, not called": (
        "cli.UsageError envs.WorkerDied envs.WorkerError envs.WorkerRaised envs.WorkerTimeout "
        "training.CorruptCheckpoint"
    ),
    "a list of names": "nn.ExplorationType objectives.ValueEstimators",
    "without an argument": "control.being_traced envs.ids nn.exploration_type",
    "of any value, which is a tree": "tree.flatten tree.leaves tree.named_leaves",
    "of any tensors": "objectives.square",
    "made by specs, of what these have checked": "specs.CategoricalBox specs.ContinuousBox",
    "called at import, once for each class of the library": "tree.register",
    "refuses by a line on stderr, which COMMANDS turns into an error": "cli.main",
}


def public() -> dict[str, Any]:
    """Every function and class that a package offers, by its name: `nn.MLP`, `random.key`, `compile`."""
    found = {"compile": frl.compile}
    for space in (*PACKAGES, *OPEN_MODULES):
        for name, value in vars(import_module(space)).items():
            own = getattr(value, "__module__", "").startswith("frl" if space in PACKAGES else space)
            if own and not name.startswith("_") and (inspect.isclass(value) or inspect.isfunction(value)):
                found[f"{space}.{name}".removeprefix("frl.")] = value
    return found


NAMES = public()
CLASSES = {value: name for name, value in NAMES.items() if inspect.isclass(value)}


def codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function and of all functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


FUNCTIONS = {
    code: name
    for name, value in NAMES.items()
    if not inspect.isclass(value)
    for code in codes(inspect.unwrap(value).__code__)
}


def reached(trace: TracebackType | None) -> set[str]:
    """The first and the last public name on a traceback."""
    found: list[str] = []
    while trace is not None:
        found += _names(trace.tb_frame)
        trace = trace.tb_next
    return {*found[:1], *found[-1:]}


def _names(frame: FrameType) -> list[str]:
    if frame.f_code in FUNCTIONS:
        return [FUNCTIONS[frame.f_code]]
    if not frame.f_globals.get("__name__", "").startswith("frl"):
        return []
    owner = frame.f_locals.get("self", frame.f_locals.get("cls"))
    kinds = owner.__mro__ if isinstance(owner, type) else type(owner).__mro__
    return [CLASSES[kind] for kind in kinds if kind in CLASSES][:1]
