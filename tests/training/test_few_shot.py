"""Meta-learning as a loop: one state, one step; and adaptation to one task."""

import pytest
import torch
from torch.testing import assert_close

from frl import compile, random, tree
from frl.algorithms import MAMLConfig, actor_critic, maml
from frl.envs import FunctionalEnv, make
from frl.envs.bandits import BernoulliBandit
from frl.training import adapt, evaluate, few_shot, load_latest, member, population, save
from tests.purity import Purity

ENV = FunctionalEnv(BernoulliBandit(), 16, max_steps=4)
NETWORKS = actor_critic(ENV.single_observation_spec, ENV.single_action_spec, (8,))
ALGORITHM = maml(NETWORKS, MAMLConfig(inner_rate=2.0, gamma=0.0, learning_rate=0.03))
KEY = random.key(0)


def arms(key):
    """Which of two arms always pays; the other never does."""
    first = random.uniform((), key) < 0.5
    return ENV.params._replace(probabilities=torch.stack([first, ~first]).float())


LOOP = few_shot(ENV, ALGORITHM, arms, num_tasks=4, num_steps=4)


def equal(x, y):
    return all(torch.equal(a, b) for a, b in zip(tree.leaves(x), tree.leaves(y), strict=True))


def test_a_step_counts_all_environment_steps_and_keeps_the_shape_of_the_state():
    state = LOOP.init(KEY)
    with Purity(state):
        after, metrics = LOOP.step(state)
    assert after["step"].item() == 4 * 2 * 16 * 4  # tasks, before and after, environments, steps
    assert tree.flatten(after)[1] == tree.flatten(state)[1]
    assert [(x.shape, x.dtype) for x in tree.leaves(after)] == [(x.shape, x.dtype) for x in tree.leaves(state)]
    assert all(x.ndim == 0 for x in tree.leaves(metrics))
    assert equal(after, LOOP.step(state)[0])


@pytest.mark.usefixtures("traced_graphs")
def test_a_compiled_population_of_meta_seeds_is_each_of_them_alone():
    keys = random.split(KEY, 2)
    many = population(LOOP, 2)
    states = many.init(keys)
    found, _ = compile(many.step)(states)
    for i, key in enumerate(keys):
        alone, _ = LOOP.step(LOOP.init(key))
        for (name, x), y in zip(tree.named_leaves(member(found, i)), tree.leaves(alone), strict=True):
            assert_close(x, y, rtol=1e-4, atol=1e-5, msg=lambda text, name=name: f"{name}: {text}")


def test_it_goes_on_from_a_checkpoint_as_if_it_had_never_stopped(tmp_path):
    state, _ = LOOP.step(LOOP.init(KEY))
    save(tmp_path, state, step=1)
    assert equal(LOOP.step(load_latest(tmp_path).state)[0], LOOP.step(state)[0])


def right(train, task):
    """The probability of the arm that pays."""
    td = ENV.with_params(task).reset(KEY)
    probs = NETWORKS.distribution(train["params", "actor"], td).probs
    return (probs * task.probabilities).sum(-1).mean()


def test_it_learns_to_learn_either_task_in_one_adaptation_and_neither_before():
    state = LOOP.init(KEY)
    for _ in range(15):
        state, metrics = LOOP.step(state)
    for key in random.split(KEY, 4):
        task = arms(key)
        assert 0.2 < right(state["train"], task) < 0.8
        assert right(adapt(ENV, ALGORITHM, state["train"], task, key, num_steps=4), task) > 0.9
    assert metrics["episode_return"] > 3.5 > 2.8 > metrics["return_before"]


def test_more_adaptations_lead_further():
    train, task = LOOP.init(KEY)["train"], arms(KEY)
    probability = [right(adapt(ENV, ALGORITHM, train, task, KEY, 4, count), task) for count in (1, 2, 3)]
    assert 0.5 < probability[0] < probability[1] < probability[2]


def test_a_loop_may_have_several_adaptations():
    loop = few_shot(ENV, ALGORITHM, arms, num_tasks=2, num_steps=2, num_adaptations=2)
    assert loop.step(loop.init(KEY))[0]["step"].item() == 2 * 3 * 16 * 2


def test_tasks_and_keys_of_adaptation_can_be_vmapped():
    env = make("PointNavigation-v0", 3)
    algorithm = maml(actor_critic(env.single_observation_spec, env.single_action_spec, (4,)))
    train, goals, keys = algorithm.init(KEY), torch.tensor([[0.1, 0.0], [0.0, -0.3]]), random.split(KEY)

    def one(goal, key):
        return adapt(env, algorithm, train, env.params._replace(goal=goal), key, num_steps=5)["params", "actor"]

    together = torch.vmap(one)(goals, keys)
    for i in range(2):
        for x, y in zip(tree.leaves(together), tree.leaves(one(goals[i], keys[i])), strict=True):
            assert_close(x[i], y)


def test_what_was_adapted_is_evaluated_as_any_policy():
    task = arms(KEY)
    after = adapt(ENV, ALGORITHM, LOOP.init(KEY)["train"], task, KEY, num_steps=4)
    returns = evaluate(ENV.with_params(task), ALGORITHM.act, after, KEY, 16)
    assert returns.tolist() == [4.0] * 16
