"""`--vary NAME SPEC`: in what the members of a sweep differ."""

import itertools
import math
import typing
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from frl.cli.errors import UsageError

_SPECS = "log:LOW:HIGH:COUNT, linear:LOW:HIGH:COUNT, or values with commas between, 0.9,0.99"


class Axis(NamedTuple):
    """A hyperparameter that varies: its name among the settings, its values, and whether these are spaced by ratio."""

    name: str
    values: tuple[float, ...]
    logarithmic: bool


def axes(vary: Sequence[tuple[str, str]], config: Any) -> list[Axis]:
    """What each `--vary NAME SPEC` says of the settings `config`; values have six significant digits.

    Raises: UsageError for a name that is no such setting, that members cannot differ in, or that stands twice, and for
        what is no specification of values.

    >>> from frl.algorithms import PPOConfig
    >>> axes([("lambda", "0.9,0.95"), ("learning-rate", "log:1e-4:1e-2:3")], PPOConfig())[1]
    Axis(name='learning_rate', values=(0.0001, 0.001, 0.01), logarithmic=True)
    """
    found = [Axis(_name(name, config), *_values(name, spec)) for name, spec in vary]
    names = [axis.name for axis in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"--vary: {flag(twice)} is given twice; give all its values at once.")
    return found


def numbers(config: Any) -> list[str]:
    """The settings that members can differ in: all numbers but counts, which, like switches, decide the program.

    >>> from frl.algorithms import ReinforceConfig
    >>> numbers(ReinforceConfig())
    ['learning_rate', 'anneal_updates', 'gamma', 'value_cost', 'max_grad_norm']
    """
    kinds = typing.get_type_hints(type(config))
    return [name for name in config._fields if kinds[name] in (float, float | None)]


def combinations(found: Sequence[Axis]) -> list[dict[str, float]]:
    """Every combination of the values, those of the last axis changing fastest.

    >>> combinations([Axis("gamma", (0.9, 0.99), False), Axis("clip", (0.2,), False)])
    [{'gamma': 0.9, 'clip': 0.2}, {'gamma': 0.99, 'clip': 0.2}]
    """
    names = [axis.name for axis in found]
    return [dict(zip(names, values, strict=True)) for values in itertools.product(*(axis.values for axis in found))]


def flag(name: str) -> str:
    """How the command line spells the name of a setting.

    >>> flag("learning_rate"), flag("lambda_")
    ('learning-rate', 'lambda_')
    """
    return name.rstrip("_").replace("_", "-") + "_" * name.endswith("_")


def _name(given: str, config: Any) -> str:
    possible, settings = numbers(config), config._fields
    name = given.removeprefix("--").replace("-", "_")
    name = f"{name}_" if name not in settings and f"{name}_" in settings else name
    if name in possible:
        return name
    which = ", ".join(map(flag, possible))
    if name in settings:
        raise UsageError(
            f"--vary: members cannot differ in {flag(name)}, for they are one program, which it decides; they can "
            f"differ in: {which}."
        )
    raise UsageError(f"--vary: there is no hyperparameter {given!r}; there are: {which}.")


def _values(name: str, spec: str) -> tuple[tuple[float, ...], bool]:
    kind, *numbers = spec.split(":")
    if numbers or kind in _SPACINGS:
        values = _spaced(name, spec, kind, numbers)
    else:
        values = [_number(name, spec, word) for word in spec.split(",")]
    rounded = tuple(float(f"{value:.6g}") for value in values)
    if len(set(rounded)) < len(rounded):
        raise UsageError(f"--vary {name} {spec}: a value is there twice; give each once.")
    return rounded, kind == "log"


def _spaced(name: str, spec: str, kind: str, numbers: list[str]) -> list[float]:
    if kind not in _SPACINGS or len(numbers) != 3:
        raise UsageError(f"--vary {name}: {spec!r} is no specification of values; write {_SPECS}.")
    low, high = (_number(name, spec, word) for word in numbers[:2])
    count = int(numbers[2]) if numbers[2].isdecimal() else 0
    if count < 1:
        raise UsageError(f"--vary {name} {spec}: the count is {numbers[2]} but must be a whole number of at least 1.")
    if not low < high:
        raise UsageError(f"--vary {name} {spec}: the lowest value is {low:g} but must be below {high:g}, the highest.")
    if kind == "log" and low <= 0:
        raise UsageError(f"--vary {name} {spec}: the lowest value is {low:g} but a logarithm needs one above 0.")
    return _SPACINGS[kind](low, high, count)


def _number(name: str, spec: str, word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise UsageError(f"--vary {name} {spec}: {word!r} is no number; write {_SPECS}.") from None
    if not math.isfinite(value):
        raise UsageError(f"--vary {name} {spec}: {word} is not finite; write {_SPECS}.")
    return value


def _linear(low: float, high: float, count: int) -> list[float]:
    return [low + (high - low) * i / max(count - 1, 1) for i in range(count)]


def _log(low: float, high: float, count: int) -> list[float]:
    return [math.exp(x) for x in _linear(math.log(low), math.log(high), count)]


_SPACINGS: dict[str, Callable[[float, float, int], list[float]]] = {"log": _log, "linear": _linear}
