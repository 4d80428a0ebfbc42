"""In which ranges hyperparameters are, by their names: one name means the same in all algorithms."""

from collections.abc import Mapping

from frl import check

_FREE = ("target_entropy",)
_FRACTIONS = (
    "gamma",
    "lambda_",
    "epsilon_start",
    "epsilon_end",
    "target_rate",
    "mask_probability",
    "model_mask_probability",
    "real_ratio",
)
_POSITIVE = ("max_grad_norm", "model_max_grad_norm", "clip", "value_clip", "kl_target", "kl_coefficient", "alpha")
_COUNTS = ("num_epochs", "num_minibatches", "num_critics", "num_target_critics", "num_members", "rollout_length")
_PERIODS = ("epsilon_updates", "target_period", "policy_period")


def require_ranges(algorithm: str, settings: Mapping[str, float]) -> None:
    """Raises ValueError, which names `algorithm`, unless each of the settings is in the range of its name.

    Counts and periods are at least 1; discounts, probabilities and the target's rate in [0, 1]; clips, bounds and
    temperatures above 0; a target entropy is any number; all others are at least 0.

    >>> require_ranges("a2c", {"gamma": 1.5, "max_grad_norm": 0.5})
    Traceback (most recent call last):
    ValueError: a2c: gamma is 1.5 but must be at most 1.
    """

    def some(names: tuple[str, ...]) -> dict[str, float]:
        return {name: settings[name] for name in names if name in settings}

    check.at_least(algorithm, some(_COUNTS + _PERIODS), 1)
    check.above(algorithm, some(_POSITIVE), 0)
    check.at_least(algorithm, {name: value for name, value in settings.items() if name not in _FREE}, 0)
    check.at_most(algorithm, some(_FRACTIONS), 1)


def is_fraction(name: str) -> bool:
    """Whether the hyperparameter of that name is in [0, 1], as discounts and probabilities are.

    >>> is_fraction("gamma"), is_fraction("learning_rate")
    (True, False)
    """
    return name in _FRACTIONS
