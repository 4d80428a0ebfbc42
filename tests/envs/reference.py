"""Our dynamics against a plain Python reference of the published definition, which begins where ours begins."""

import numpy as np
import torch

from frl import random, tree


def compare(author, reference, num_rows, num_steps, params=None, seed=0):
    """Asserts that observation, reward and end of every step agree; returns the rewards, num_rows lists.

    `reference(**state)`, made from a row of our initial state, has `observe()` and `step(action) -> (reward, ended)`; a
    reward that is drawn is a tuple of what it may be. What `observe` gives None for is drawn and not compared.
    """
    keys = random.split(random.key(seed), num_rows)
    params = author.get_default_params() if params is None else params
    state = author.initial(keys, params)
    rows = [reference(**row(state, i)) for i in range(num_rows)]
    rewards, ended = [[] for _ in rows], [False] * num_rows
    agree(author.observation(state, keys, params), [each.observe() for each in rows])
    for t in range(num_steps):
        k_action, k_transition, k_observation, k_reward = random.split(random.fold_in(keys, t), 4)
        action = some_action(author.action_space, k_action, author.dtype)
        after = author.transition(state, action, k_transition, params)
        reward = author.reward(state, action, after, k_reward, params)
        observation, terminal = author.observation(after, k_observation, params), author.terminal(after, keys, params)
        assert reward.dtype == author.dtype
        for i, each in enumerate(rows):
            if ended[i]:
                continue
            expected, ended[i] = each.step(action[i].numpy())
            allowed = expected if isinstance(expected, tuple) else (expected,)
            assert min(abs(reward[i].item() - value) for value in allowed) < 1e-6, (i, t, reward[i], expected)
            agree(observation[i], each.observe())
            assert bool(terminal[i]) == ended[i], (i, t)
            rewards[i].append(reward[i].item())
        state = after
    return rewards


def row(state, i):
    """One row of a state, as numbers and arrays of numpy."""
    return {name: leaf[i].numpy() for name, leaf in tree.named_leaves(state)}


def agree(ours, theirs):
    ours, theirs = ours.double().numpy(), np.array(theirs, dtype=np.float64)  # None becomes NaN
    assert ours.shape == theirs.shape
    assert np.abs(np.where(np.isnan(theirs), 0, ours - np.nan_to_num(theirs))).max() < 1e-6


def some_action(space, keys, dtype):
    """Uniform; where it is continuous a third beyond each bound, so that clipping is compared as well."""
    if space.shape:
        return random.uniform(space.shape, keys, low=-3.0, high=3.0, dtype=dtype)
    return random.randint(0, int(space.n), (), keys)


def stepped(author, state, action, params=None, key=None):
    """(the state after an action, its reward, whether it is terminal), of one environment."""
    key, action = random.key(0) if key is None else key, torch.as_tensor(action)
    after = author.transition(state, action, key, params)
    return after, author.reward(state, action, after, key, params), bool(author.terminal(after, key, params))
