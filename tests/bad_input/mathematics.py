"""Bad calls of functional, distributions and optimisers."""

from functools import partial
from math import nan
from typing import Any

import torch

from frl import distributions as dist
from frl import functional, optim
from tests.bad_input.case import FLAGS, STEPS, bad, ints, ones, zeros

gae = partial(
    functional.gae,
    reward=STEPS,
    value=STEPS,
    next_value=STEPS,
    terminated=FLAGS,
    truncated=FLAGS,
    gamma=0.9,
    lambda_=0.9,
)
n_step = partial(functional.n_step_returns, STEPS, STEPS, FLAGS, FLAGS, 0.9)

PAIR = functional.init_moments((2,))
MATHEMATICS = {
    "values [T, N, 1]": bad(
        lambda: gae(value=zeros(5, 2, 1)), ValueError, "value", "[5, 2, 1]", "[5, 2]", "as [T, *B]"
    ),
    "values of other environments": bad(
        lambda: gae(next_value=zeros(5, 3)), ValueError, "next_value", "[5, 3]", "[5, 2]", "pass all"
    ),
    "flags that are numbers": bad(
        lambda: gae(terminated=STEPS), TypeError, "terminated", "float32", "torch.bool", ".bool()"
    ),
    "rewards that are whole": bad(
        lambda: gae(reward=ints(5, 2)), TypeError, "reward", "int64", "floating point", ".float()"
    ),
    "values of another precision": bad(
        lambda: gae(value=STEPS.double()), TypeError, "value", "float64", "float32", ".to(dtype)"
    ),
    "rewards in a list": bad(
        lambda: gae(reward=[0.0]), TypeError, "reward", "list", "must be a tensor", "torch.as_tensor"
    ),
    "a discount of 99": bad(lambda: gae(gamma=99), ValueError, "gamma", "99", "must be at most 1"),
    "no step ahead": bad(lambda: n_step(0), ValueError, "n is 0", "must be at least 1"),
    "log-probabilities that would broadcast": bad(
        lambda: functional.clipped_surrogate(zeros(8, 1), zeros(8), zeros(8), 0.2),
        *(ValueError, "log_prob", "[8, 1]", "[8]", "pass all as [*B]"),
    ),
    "a negative clip": bad(
        lambda: functional.clipped_surrogate(STEPS, STEPS, STEPS, -0.2),
        ValueError,
        "epsilon",
        "-0.2",
        "must be above 0",
    ),
    "values unlike their moments": bad(
        lambda: functional.update_moments(functional.init_moments((3,)), STEPS),
        ValueError,
        "[5, 2]",
        "must be [*B, *[3]]",
    ),
    "a scale that would broadcast": bad(
        lambda: dist.Normal(zeros(3), ones(3, 1)), ValueError, "scale", "[3, 1]", "loc", "[3]", "expand one"
    ),
    "parameters that are whole": bad(lambda: dist.Normal(ints(3), ints(3)), TypeError, "scale", "int64", ".float()"),
    "the log-probability of another shape": bad(
        lambda: dist.Normal(zeros(3), ones(3)).log_prob(zeros(4)),
        ValueError,
        "x",
        "[4]",
        "must have [3]",
        "pass one value",
    ),
    "the log-probability of a fraction": bad(
        lambda: dist.Categorical(zeros(3, 4)).log_prob(zeros(3)), TypeError, "x", "float32", "an index", ".long()"
    ),
    "a one-hot vector of another width": bad(
        lambda: dist.OneHotCategorical(zeros(3, 4)).log_prob(zeros(3, 5)),
        ValueError,
        "[3, 5]",
        "[3, 4]",
        "pass one vector",
    ),
    "limits upside down": bad(
        lambda: dist.TanhNormal(STEPS, ones(5, 2), low=1.0, high=-1.0), ValueError, "low", "1.0", "must be below -1.0"
    ),
    "a divergence without a formula": bad(
        lambda: dist.kl_divergence(dist.Normal(STEPS, ones(5, 2)), dist.Delta(STEPS)),
        TypeError,
        "Normal",
        "Delta",
        "average",
    ),
    "values explained that would broadcast": bad(
        lambda: functional.explained_variance(zeros(5, 1), zeros(5)), ValueError, "value", "[5, 1]", "both as [*B]"
    ),
    "no value explained": bad(
        lambda: functional.explained_variance(zeros(0), zeros(0)), ValueError, "target: numel is 0", "at least 1"
    ),
    "moments of a negative size": bad(
        lambda: functional.init_moments((-1,)), ValueError, "init_moments: shape[0] is -1", "must be at least 0"
    ),
    "moments that are whole": bad(
        lambda: functional.init_moments((2,), torch.int64), TypeError, "init_moments", "int64", "such as torch.float32"
    ),
    "moments of other values": bad(
        lambda: functional.merge_moments(PAIR, functional.init_moments((3,))),
        *(ValueError, "b.mean", "[3]", "[2]", "merge moments of values of one shape"),
    ),
    "moments of another precision": bad(
        lambda: functional.merge_moments(PAIR, functional.init_moments((2,), torch.float64)),
        *(TypeError, "b.mean", "float64", "float32", ".to(dtype)"),
    ),
    "moments updated in double precision": bad(
        lambda: functional.update_moments(PAIR, STEPS.double()), TypeError, "x", "float64", "float32", ".to(dtype)"
    ),
    "values normalised by other moments": bad(
        lambda: functional.normalize(zeros(5, 3), PAIR), ValueError, "[5, 3]", "must be [*B, *[2]], as the moments are"
    ),
    "values normalised in double precision": bad(
        lambda: functional.normalize(STEPS.double(), PAIR), TypeError, "x", "float64", "float32", ".to(dtype)"
    ),
    "no value standardised": bad(
        lambda: functional.standardize(zeros(0)), ValueError, "standardize", "numel is 0", "must be at least 1"
    ),
    "whole values standardised": bad(
        lambda: functional.standardize(ints(3)), TypeError, "standardize: x", "int64", ".float()"
    ),
    "a divergence that would broadcast": bad(
        lambda: functional.approx_kl(zeros(8, 1), zeros(8)), ValueError, "log_prob", "[8, 1]", "[8]", "all as [*B]"
    ),
    "a divergence of two precisions": bad(
        lambda: functional.approx_kl(zeros(8).double(), zeros(8)), TypeError, "log_prob", "float64", ".to(dtype)"
    ),
    "a fraction clipped at nothing": bad(
        lambda: functional.clip_fraction(STEPS, STEPS, 0.0), ValueError, "clip_fraction: epsilon is 0.0", "above 0"
    ),
    "a clipped fraction that would broadcast": bad(
        lambda: functional.clip_fraction(zeros(8, 1), zeros(8), 0.2), ValueError, "log_prob", "[8, 1]", "all as [*B]"
    ),
    "a value loss that would broadcast": bad(
        lambda: functional.clipped_value_loss(zeros(8, 1), zeros(8), zeros(8), 0.2),
        *(ValueError, "value", "[8, 1]", "[8]", "pass all as [*B]"),
    ),
    "a value loss with a negative clip": bad(
        lambda: functional.clipped_value_loss(STEPS, STEPS, STEPS, -0.2), ValueError, "epsilon is -0.2", "above 0"
    ),
    "a recurrence of two shapes": bad(
        lambda: functional.affine_recurrence(STEPS, zeros(5), zeros(2)), ValueError, "b", "[5]", "[5, 2]", "as [T, *B]"
    ),
    "a recurrence from another end": bad(
        lambda: functional.affine_recurrence(STEPS, STEPS, zeros(5)), ValueError, "last", "[5]", "[2]", "as [*B]"
    ),
    "discounts of other steps": bad(
        lambda: functional.discounted_returns(STEPS, zeros(5, 1), zeros(2)),
        *(ValueError, "discount", "[5, 1]", "[5, 2]", "as [T, *B]"),
    ),
    "a bootstrap of every step": bad(
        lambda: functional.discounted_returns(STEPS, STEPS, STEPS), ValueError, "last", "[5, 2]", "[2]", "as [*B]"
    ),
    "values ahead [T, N, 1]": bad(
        lambda: functional.n_step_returns(STEPS, zeros(5, 2, 1), FLAGS, FLAGS, 0.9, 3),
        *(ValueError, "next_value", "[5, 2, 1]", "[5, 2]", "as [T, *B]"),
    ),
    "targets of other environments": bad(
        lambda: functional.td0_targets(STEPS, zeros(5, 3), FLAGS, 0.9), ValueError, "[5, 3]", "[5, 2]", "as [T, *B]"
    ),
    "targets discounted by more than all": bad(
        lambda: functional.td0_targets(STEPS, STEPS, FLAGS, 1.5), ValueError, "td0_targets: gamma is 1.5", "at most 1"
    ),
    "λ-returns of other environments": bad(
        lambda: functional.td_lambda_returns(STEPS, zeros(5, 3), FLAGS, FLAGS, 0.9, 0.9),
        *(ValueError, "next_value", "[5, 3]", "[5, 2]", "as [T, *B]"),
    ),
    "a negative λ": bad(
        lambda: functional.td_lambda_returns(STEPS, STEPS, FLAGS, FLAGS, 0.9, -0.1),
        *(ValueError, "td_lambda_returns: lambda_ is -0.1", "must be at least 0"),
    ),
    "logits of whole numbers": bad(lambda: dist.Categorical(ints(3)), TypeError, "logits", "int64", ".float()"),
    "logits without an axis": bad(
        lambda: dist.OneHotCategorical(zeros(())), ValueError, "OneHotCategorical", "ndim is 0", "must be at least 1"
    ),
    "a number that is certain": bad(lambda: dist.Delta(0.5), TypeError, "Delta: value is a float", "torch.as_tensor"),
    "another value than the certain one": bad(
        lambda: dist.Delta(zeros(3)).log_prob(zeros(3, 1)), ValueError, "x", "[3, 1]", "[3]", "pass one value for each"
    ),
    "a divergence of two shapes": bad(
        lambda: dist.kl_divergence(dist.Normal(STEPS, ones(5, 2)), dist.Normal(zeros(5), ones(5))),
        *(ValueError, "q.loc", "[5]", "[5, 2]", "pass all with one shape"),
    ),
    "a squashed scale that would broadcast": bad(
        lambda: dist.TanhNormal(STEPS, ones(5, 1)), ValueError, "TanhNormal: scale", "[5, 1]", "[5, 2]", "expand one"
    ),
}

PARAMS = {"w": ones(3)}


def updated(grads: Any) -> Any:
    adam = optim.adam(1e-3)
    return adam.update(grads, adam.init(PARAMS), PARAMS)


def stepped(grads: Any) -> Any:
    sgd = optim.sgd(1e-3)
    return optim.step(sgd, grads, sgd.init(PARAMS), PARAMS)


OPTIMISERS = {
    "a state that no init made": bad(
        lambda: optim.adam(1e-3).update(PARAMS, {}, PARAMS), ValueError, "state", "[]", "optimizer.init(params)"
    ),
    "a negative learning rate": bad(
        lambda: optim.adam(-1.0), ValueError, "learning_rate", "-1.0", "must be at least 0"
    ),
    "a decay of one": bad(lambda: optim.adam(1e-3, betas=(1.0, 0.9)), ValueError, "betas[0]", "1.0", "must be below 1"),
    "a negative norm": bad(
        lambda: optim.clip_by_global_norm(-1.0), ValueError, "max_norm", "-1.0", "must be at least 0"
    ),
    "a schedule without steps": bad(lambda: optim.linear(1.0, 0.0, 0), ValueError, "num_steps", "0", "must be above 0"),
    "nesterov without momentum": bad(
        lambda: optim.sgd(0.1, nesterov=True), ValueError, "momentum is 0", "pass momentum in"
    ),
    "one boundary too many": bad(
        lambda: optim.join([optim.constant(1.0)], [3]), ValueError, "[3]", "1 schedules", "pass one"
    ),
    "gradients of another shape": bad(
        lambda: updated({"w": ones(1)}), ValueError, "grads", '"w"', "[1]", "[3]", "pass one tensor like each parameter"
    ),
    "gradients of other names": bad(lambda: updated({"v": ones(3)}), ValueError, '"v"', "pass trees of one structure"),
    "nothing to optimise": bad(lambda: optim.adam(1e-3).init({}), ValueError, "params", "holds no tensor"),
    "a negative rate of adamw": bad(
        lambda: optim.adamw(-1.0), ValueError, "adamw: learning_rate is -1.0", "at least 0"
    ),
    "a negative eps of adamw": bad(lambda: optim.adamw(1e-3, eps=-1.0), ValueError, "adamw: eps is -1.0", "at least 0"),
    "updates of another shape": bad(
        lambda: optim.apply_updates(PARAMS, {"w": ones(1)}), ValueError, "updates", '"w"', "[1]", "like each parameter"
    ),
    "updates of other names": bad(
        lambda: optim.apply_updates(PARAMS, {"v": ones(3)}), ValueError, '"w" is only in the first', "one structure"
    ),
    "optimizers in a list": bad(
        lambda: optim.chain([optim.sgd(0.1)]), TypeError, "chain: optimizer 0 is a list", "one by one, as in chain("
    ),
    "an optimizer that was not made": bad(
        lambda: optim.chain(optim.sgd(0.1), optim.adam), TypeError, "optimizer 1 is a function", "as in chain("
    ),
    "a transformation of nothing": bad(
        lambda: optim.stateless(None), TypeError, "stateless: f is a NoneType", "pass a function of the gradients"
    ),
    "an optimizer as a function": bad(
        lambda: optim.stateless(optim.sgd(0.1)), TypeError, "f is a Optimizer", "or use an Optimizer as it is"
    ),
    "a step along gradients of another shape": bad(
        lambda: stepped({"w": ones(1)}), ValueError, "grads", '"w"', "[1]", "[3]", "pass one tensor like each parameter"
    ),
    "a step along gradients of other names": bad(
        lambda: stepped({"v": ones(3)}), ValueError, '"v"', "pass trees of one structure"
    ),
    "a norm that is NaN": bad(
        lambda: optim.clip_by_global_norm(nan), ValueError, "max_norm is nan", "must be at least 0"
    ),
    "a negative bound": bad(lambda: optim.clip_by_value(-1.0), ValueError, "max_value is -1.0", "must be at least 0"),
    "a bound that is NaN": bad(lambda: optim.clip_by_value(nan), ValueError, "max_value is nan", "must be at least 0"),
    "the norm of nothing": bad(
        lambda: optim.global_norm({}), ValueError, "global_norm", "holds no tensor", "pass gradients, or leave this out"
    ),
    "the norm of a number": bad(
        lambda: optim.global_norm({"w": 1.0}), TypeError, "global_norm: a leaf is a float", "torch.as_tensor"
    ),
    "a constant in words": bad(lambda: optim.constant("0.1"), TypeError, "constant: value is '0.1'", "or a 0-d tensor"),
    "a constant for each member": bad(
        lambda: optim.constant(ones(2)), ValueError, "value has shape [2]", "must have []", "or vmap over several"
    ),
    "a line from a word": bad(lambda: optim.linear("1", 0.0, 9), TypeError, "linear: start is '1'", "or a 0-d tensor"),
    "a cosine without steps": bad(lambda: optim.cosine(1.0, 0.0, 0), ValueError, "cosine: num_steps is 0", "above 0"),
    "a cosine to several ends": bad(
        lambda: optim.cosine(1.0, ones(2), 9), ValueError, "cosine: end has shape [2]", "or vmap over several"
    ),
    "a decay below nothing": bad(
        lambda: optim.exponential(1.0, -0.5), ValueError, "exponential: decay is -0.5", "must be at least 0"
    ),
    "a decay from nothing": bad(
        lambda: optim.exponential(None, 0.5), TypeError, "exponential: start is None", "or a 0-d tensor"
    ),
    "boundaries in disorder": bad(
        lambda: optim.join([optim.constant(1.0)] * 3, [5, 3]),
        ValueError,
        "[5, 3]",
        "3 schedules",
        "one increasing step",
    ),
    "a momentum of one": bad(lambda: optim.sgd(0.1, momentum=1.0), ValueError, "momentum is 1.0", "must be below 1"),
}
