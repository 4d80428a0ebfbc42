"""From options to a training: environment, algorithm, loop, and the step that is run, compiled or not."""

import contextlib
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NamedTuple

import gymnasium
import torch
from torch import Tensor

from frl import random, tree
from frl.algorithms import Algorithm
from frl.cli.errors import usage_errors
from frl.cli.options import Options
from frl.cli.recipes import RECIPES, Recipe
from frl.compilation import compile, compiler_available
from frl.envs import Env, GymWrapper, make
from frl.tensordict import TensorDict
from frl.training.evaluate import evaluate
from frl.training.loop import Loop
from frl.training.population import assemble, population
from frl.training.record import record
from frl.training.run import Step


class Training(NamedTuple):
    """What is trained, where and how; `loop` is of a population if several seeds are trained at once."""

    recipe: Recipe
    env: Env
    algorithm: Algorithm
    loop: Loop


def build(name: str, options: Options) -> Training:
    """The training that the options of the algorithm `name` describe, not compiled.

    Raises: UsageError for an unknown environment, a space that the algorithm cannot act in, or a hyperparameter out of
        range.
    """
    recipe = RECIPES[name]
    with usage_errors(ValueError, TypeError, ImportError):
        env = recipe.around(make(options.env, batch_size=[options.num_envs]), options)
        settings = dict.fromkeys(member.hyperparameters() for member in options.members)
        algorithm, *_ = [recipe.algorithm(env, each) for each in settings]
    return Training(recipe, env, algorithm, _loop(recipe, env, algorithm, options))


def initial_state(training: Training, options: Options) -> TensorDict:
    """The state before the first update; each member of a population starts as the run of its options alone."""
    states = [_alone(training, member) for member in options.members]
    return assemble(states) if len(states) > 1 else states[0]


def _alone(training: Training, member: Options) -> TensorDict:
    algorithm = training.recipe.algorithm(training.env, member.hyperparameters())
    return training.recipe.loop(training.env, algorithm, member, False).init(_keys(member.seed)[0])


def compiled_step(training: Training, options: Options) -> Step:
    """The step of the loop, compiled: whole in a pure environment, else acting and learning apart."""
    if training.env.pure:
        replays = getattr(options, "replay", None) is not None  # a buffer is written in place
        return compile(training.loop.step, donate=replays, shards=shards(options))
    algorithm = training.algorithm
    algorithm = algorithm._replace(act=compile(algorithm.act), update=compile(algorithm.update))
    return _loop(training.recipe, training.env, algorithm, options, compiled=True).step


def or_eager(compiled: Step, eager: Step) -> Step:
    """`compiled`, or `eager` from the first call on if that call, the compilation, fails; one line says so.

    >>> def broken(state):
    ...     raise RuntimeError("no header")
    >>> or_eager(broken, lambda state: (state, state))(1)
    (1, 1)
    """
    chosen: list[Step] = []

    def step(state: TensorDict) -> tuple[TensorDict, TensorDict]:
        if chosen:
            return chosen[0](state)
        try:
            result = compiled(state)
        except RuntimeError as error:
            print(f"compile: failed, so this runs in eager mode: {str(error).splitlines()[0]}", file=sys.stderr)
            chosen.append(eager)
            return eager(state)
        chosen.append(compiled)
        return result

    return step


Evaluator = Callable[[TensorDict, Tensor], Tensor]
"""`returns(state, keys)` of the greedy policy, [members, episodes], from a key for each member, [members, 2]."""


@contextlib.contextmanager
def evaluator(training: Training, options: Options) -> Generator[Evaluator, None, None]:
    """The `Evaluator`, with environments of its own, which are closed at the end."""
    with usage_errors(ImportError):
        env = training.recipe.around(make(options.env, batch_size=[options.eval_episodes]), options)

    def returns(state: TensorDict, keys: Tensor) -> Tensor:
        key = keys if len(keys) > 1 else keys[0]
        with torch.no_grad():
            found = evaluate(env, training.algorithm.act, state["train"], key, options.eval_episodes)
        return found.reshape(len(keys), -1)

    with contextlib.closing(env):
        yield returns


def evaluation_returns(training: Training, options: Options, state: TensorDict) -> Tensor:
    """The returns of the greedy policy, [members, episodes], from keys of their seeds that no training has used."""
    with evaluator(training, options) as returns:
        return returns(state, torch.stack([_keys(member.seed)[1] for member in options.members]))


def evaluation_metrics(options: Options, returns: Evaluator, state: TensorDict) -> TensorDict:
    """The mean and the deviation of the greedy policy's returns now, each [] or, of a population, [members].

    Their keys are folded with the step, and used neither by the training nor by the evaluation at its end.
    """
    keys = torch.stack([_keys(member.seed)[2] for member in options.members])
    found = returns(state, random.fold_in(keys, state["step"].reshape(-1)))
    shape = state["step"].shape
    mean, deviation = found.mean(1).reshape(shape), found.std(1, correction=0).reshape(shape)
    return TensorDict({"eval_return": mean, "eval_return_std": deviation}, shape)


def film(training: Training, options: Options, state: TensorDict, path: Path, num_episodes: int) -> Tensor:
    """Records episodes of the greedy policy, of the first member if there are several; returns their returns."""
    train = state["train"] if len(options.members) == 1 else tree.map(lambda x: x[0], state["train"])
    mendable = (ValueError, TypeError, NotImplementedError, ImportError, OSError, gymnasium.error.Error)
    with usage_errors(*mendable), contextlib.closing(_visible(options.env)) as env:
        env = training.recipe.around(env, options)
        return record(env, training.algorithm.act, train, _keys(options.seed)[3], path, num_episodes)


def _visible(name: str) -> Env:
    """One environment that can be drawn: a renderer of Gymnasium's must be asked for when it is made."""
    if not name.startswith("gym:"):
        return make(name)
    gym_env = gymnasium.make(name.removeprefix("gym:"), render_mode="rgb_array", disable_env_checker=True)
    return GymWrapper(gym_env)


def should_compile(recipe: Recipe, options: Options, pure: bool) -> tuple[bool, str]:
    """Whether to compile, and why, for `--compile`."""
    if options.compile != "auto":
        return options.compile == "on", f"--compile {options.compile}"
    if not compiler_available():
        return False, "there is no C++ compiler"
    if not pure:
        return False, f"most of the time goes to {options.env} itself"
    eager = _seconds(recipe, options, EAGER)
    gain = eager - _seconds(recipe, options, COMPILED)
    estimate = f"about {eager:.0f} s in eager mode"
    if gain <= COMPILATION:
        return False, f"{estimate}, which is over before a compilation pays off"
    return True, f"{estimate}, of which compiling saves more than it takes"


class _Cost(NamedTuple):
    """Seconds of a step of all environments, of a gradient step, and of a sample in either. CartPole, one slow core."""

    vector_step: float
    gradient_step: float
    sample: float


EAGER, COMPILED, COMPILATION = _Cost(3e-3, 6e-3, 2e-6), _Cost(25e-6, 300e-6, 2e-6), 20.0


def _seconds(recipe: Recipe, options: Options, cost: _Cost) -> float:
    gradient_steps = recipe.gradient_steps(options)
    samples = options.num_envs * options.rollout_length + gradient_steps * recipe.samples(options)
    steps = options.rollout_length * cost.vector_step + gradient_steps * cost.gradient_step
    return len(options.members) * options.num_updates * (steps + samples * cost.sample)


def _loop(recipe: Recipe, env: Env, algorithm: Algorithm, options: Options, compiled: bool = False) -> Loop:
    loop = recipe.loop(env, algorithm, options, compiled)
    count = len(options.members)
    if count == 1:
        return loop
    with_replay = getattr(options, "replay", None) is not None
    return population(loop, count, None if with_replay else options.chunk or usual_chunk(count // shards(options)))


def shards(options: Options) -> int:
    """Into how many parts the members go, to be trained at the same time on a core each: as many as have whole chunks.

    >>> from frl.cli.options import read_options
    >>> shards(read_options("ppo", ["--num-seeds", "6", "--num-threads", "4"]))
    3
    """
    count = len(options.members)
    possible = [n for n in range(1, (options.num_threads or 1) + 1) if count % n == 0]
    return max(n for n in possible if count // n % (options.chunk or 1) == 0)


_TOGETHER = 8  # members whose step fits into the caches of a processor


def usual_chunk(count: int) -> int:
    """How many of `count` members go together unless --chunk says: the divisor that is nearest to 8, by ratio.

    >>> usual_chunk(256), usual_chunk(20), usual_chunk(5), usual_chunk(22)
    (8, 10, 5, 11)
    """
    divisors = [size for size in range(1, count + 1) if count % size == 0]
    return min(divisors, key=lambda size: max(size / _TOGETHER, _TOGETHER / size))


def _keys(seed: int) -> Tensor:
    """The keys of a seed's training, of its evaluation at the end and during the training, and of its video, [4, 2]."""
    return random.split(random.key(seed), 4)
