"""Bad calls of functional, distributions and optimisers."""

from functools import partial
from typing import Any

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
}

PARAMS = {"w": ones(3)}


def updated(grads: Any) -> Any:
    adam = optim.adam(1e-3)
    return adam.update(grads, adam.init(PARAMS), PARAMS)


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
}
