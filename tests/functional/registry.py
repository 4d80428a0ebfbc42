"""Every function of `frl.functional`, one row each: `test_laws.py` puts all of them to all laws."""

from collections.abc import Callable
from typing import NamedTuple

import torch

from frl import functional as F
from frl import random


class Case(NamedTuple):
    name: str
    function: Callable[..., torch.Tensor]
    inputs: str  # one letter for each argument, see `make`
    per_step: bool = True  # maps [T, *B] to [T, *B], one lane independent of the others
    differentiable: bool = True


def make(letter, key, T=5, batch=(3,), dtype=torch.float64):
    """s: steps [T, *B]; u: steps in (0, 1); b: a value for each lane [*B]; f: flags [T, *B]; r: a rate, [].

    a: action values [T, *B, 3]; p: probabilities [T, *B, 4].
    """
    if letter == "f":
        return random.uniform((T, *batch), key) < 0.2
    if letter == "r":
        return 0.2 + 0.6 * random.uniform((), key, dtype=dtype)
    if letter == "b":
        return random.normal(batch, key, dtype=dtype)
    if letter == "a":
        return random.normal((T, *batch, 3), key, dtype=dtype)
    if letter == "p":
        return random.normal((T, *batch, 4), key, dtype=dtype).softmax(-1)
    if letter == "u":
        return random.uniform((T, *batch), key, dtype=dtype)
    return random.normal((T, *batch), key, dtype=dtype)


def arguments(case, seed=0, **sizes):
    keys = random.split(random.key(seed), len(case.inputs))
    return tuple(make(letter, key, **sizes) for letter, key in zip(case.inputs, keys, strict=True))


def _moments(mean):
    return F.Moments(mean.mean(), mean.var(correction=0), torch.tensor(3))


def _projection(reward, probs, terminated, gamma):
    return F.categorical_projection(reward, probs, terminated, gamma, v_min=-2.0, v_max=2.0)


CASES = [
    Case("affine_recurrence", F.affine_recurrence, "ssb"),
    Case("discounted_returns", F.discounted_returns, "sub"),
    Case("n_step_returns", lambda *x: F.n_step_returns(*x, n=3), "ssffr"),
    Case("td0_targets", F.td0_targets, "ssfr"),
    Case("td_lambda_returns", F.td_lambda_returns, "ssffrr"),
    Case("gae", F.gae, "sssffrr"),
    Case("reward_to_go", F.reward_to_go, "sffr"),
    Case("vtrace target", lambda *x: F.vtrace(*x).target, "sssffsr"),
    Case("vtrace advantage", lambda *x: F.vtrace(*x, clip=(1.5, 0.8)).advantage, "sssffsr"),
    Case("retrace", F.retrace, "sssffsrr"),
    Case("huber", F.huber, "sr"),
    Case("q_learning_target", F.q_learning_target, "safr", per_step=False),
    Case("double_q_target", F.double_q_target, "saafr", per_step=False),
    Case("categorical_projection", _projection, "spfr", per_step=False),
    Case("quantile_huber_loss", F.quantile_huber_loss, "aar", per_step=False),
    Case("standardize", F.standardize, "s", per_step=False),
    Case("policy_gradient_loss", F.policy_gradient_loss, "ss", per_step=False),
    Case("surrogate", F.surrogate, "sss", per_step=False),
    Case("clipped_surrogate", F.clipped_surrogate, "sssr", per_step=False),
    Case("clipped_value_loss", F.clipped_value_loss, "sssr", per_step=False),
    Case("approx_kl", F.approx_kl, "ss", per_step=False),
    Case("clip_fraction", F.clip_fraction, "ssr", per_step=False, differentiable=False),
    Case("adaptive_kl_coefficient", F.adaptive_kl_coefficient, "rrr", per_step=False, differentiable=False),
    Case("explained_variance", F.explained_variance, "ss", per_step=False),
    Case("update_moments", lambda x, y: F.update_moments(_moments(x), y).var, "ss", per_step=False),
    Case("merge_moments", lambda x, y: F.merge_moments(_moments(x), _moments(y)).var, "ss", per_step=False),
    Case("normalize", lambda x, y: F.normalize(x, _moments(y)), "ss", per_step=False),
]
