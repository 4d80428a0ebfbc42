"""Bad calls of evolution strategies and of meta-gradients."""

from typing import Any

from frl import envs, optim, training
from frl.envs import FunctionalEnv, probes
from tests.algorithms.test_base import MEMORIES
from tests.bad_input.case import KEY, bad, ones, zeros
from tests.bad_input.environments import CART
from tests.bad_input.learning import networks, ppo


def told(strategy: optim.Evolution, fitness: Any) -> Any:
    state = strategy.init({"w": zeros(3)})
    return strategy.tell(state, strategy.ask(state, KEY), fitness)


def meta(*numbers: int, **settings: Any) -> training.Loop:
    return training.meta_gradient(CART, ppo(), training.policy_gradient_reference(networks()), *numbers, **settings)


EVOLUTION = {
    "a strategy of an odd number": bad(
        lambda: optim.openai_es(5), ValueError, "openai_es: num_candidates is 5", "must be even", "pairs of mirror"
    ),
    "a strategy without a candidate": bad(
        lambda: optim.openai_es(0), ValueError, "num_candidates is 0", "must be at least 2"
    ),
    "a strategy that does not search": bad(
        lambda: optim.openai_es(4, sigma=0.0), ValueError, "openai_es: sigma is 0.0", "must be above 0"
    ),
    "exploring an odd number": bad(
        lambda: optim.pgpe(3), ValueError, "pgpe: num_candidates is 3", "must be even", "pairs of mirror"
    ),
    "exploring backwards": bad(lambda: optim.pgpe(4, sigma=-1.0), ValueError, "pgpe: sigma is -1.0", "must be above 0"),
    "a negative rate of sigma": bad(
        lambda: optim.pgpe(4, sigma_rate=-0.1), ValueError, "pgpe: sigma_rate is -0.1", "must be at least 0"
    ),
    "the fitness of other candidates": bad(
        lambda: told(optim.openai_es(4), ones(3)), ValueError, "fitness has shape [3]", "must have [4]", "one number"
    ),
    "the fitness as a list": bad(
        lambda: told(optim.pgpe(2), [1.0, 2.0]), TypeError, "pgpe: fitness is a list", "torch.as_tensor"
    ),
    "the fitness of each episode": bad(
        lambda: told(optim.pgpe(2), ones(2, 5)), ValueError, "fitness has shape [2, 5]", "must have [2]", "one number"
    ),
    "the rank of one": bad(lambda: optim.centred_ranks(ones(1)), ValueError, "has shape [1]", "with n at least 2"),
    "the ranks of a table": bad(
        lambda: optim.centred_ranks(ones(2, 2)), ValueError, "has shape [2, 2]", "with n at least 2"
    ),
    "an optimiser that is to evolve": bad(
        lambda: training.evolution(CART, networks().actor, optim.adam(0.1)),
        *(TypeError, "strategy is a Optimizer", "must be an Evolution", "pass openai_es(...)"),
    ),
    "evolution without an end": bad(
        lambda: training.evolution(FunctionalEnv(probes.ChosenReward(), 2), networks().actor, optim.pgpe(4)),
        *(ValueError, "evolution: FunctionalEnv(", "no time limit", "make it by frl.envs.make"),
    ),
    "evolution in a shell": bad(
        lambda: training.evolution(envs.make("gym:CartPole-v1", 2), networks().actor, optim.pgpe(4)),
        *(ValueError, "evolution: GymEnv(", "is not pure", "make it by frl.envs.make"),
    ),
}
META_GRADIENT = {
    "a meta-gradient through no update": bad(
        lambda: meta(4, 0), ValueError, "meta_gradient: num_updates is 0", "must be at least 1"
    ),
    "a meta-gradient of no step": bad(
        lambda: meta(0, 1), ValueError, "meta_gradient: num_steps is 0", "must be at least 1"
    ),
    "a meta-gradient of nothing": bad(
        lambda: meta(4, 1, learned=()), ValueError, "learned is ()", "must name hyperparameters", "('gamma',)"
    ),
    "a meta-gradient of letters": bad(
        lambda: meta(4, 1, learned="gamma"), ValueError, "learned is 'gamma'", "must name hyperparameters", "('gamma',)"
    ),
    "a meta-gradient of a count": bad(
        lambda: meta(4, 1, learned=("num_epochs",)).init(KEY),
        *(KeyError, "there is no hyperparameter 'num_epochs'", "to learn", "name some of ['anneal_updates'"),
    ),
    "a reference discount above one": bad(
        lambda: training.policy_gradient_reference(networks(), gamma=1.5), ValueError, "gamma is 1.5", "at most 1"
    ),
    "a reference that unlearns": bad(
        lambda: training.policy_gradient_reference(networks(), learning_rate=-1.0),
        *(ValueError, "policy_gradient_reference: learning_rate is -1.0", "must be at least 0"),
    ),
    "a reference with a memory": bad(
        lambda: training.policy_gradient_reference(MEMORIES), ValueError, "the critic has a memory", "pass networks"
    ),
}
META = {**EVOLUTION, **META_GRADIENT}
