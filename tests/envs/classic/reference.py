"""Our dynamics against Gymnasium's own environments, with our state injected before every step."""

import gymnasium
import numpy as np
import torch

from frl import random


def worst_difference(author, gym_id, inject, num_seeds, num_steps, dtype):
    """The greatest |ours - theirs| over observation, state and reward, and the number of terminal flags that differ.

    Ours is one batch of `num_seeds` rows under random actions, reset where terminal. `inject(env, state)` puts a state
    into Gymnasium's environment.
    """
    theirs = gymnasium.make(gym_id).unwrapped
    key = random.key(num_seeds)
    state = author.initial(random.split(key, num_seeds))
    worst, flags = 0.0, 0
    for t in range(num_steps):
        k_action, k_reset, k_step = random.split(random.fold_in(key, t), 3)
        action, given = _actions(theirs.action_space, num_seeds, k_action, dtype)
        after = author.transition(state, action, k_step)
        ours = torch.cat([after, author.observation(after, k_step)], -1).double().numpy()
        rewards = author.reward(state, action, after, k_step).double().numpy()
        terminal = author.terminal(after, k_step)
        for row in range(num_seeds):
            inject(theirs, state[row].double().numpy())
            _, reward, terminated, _, _ = theirs.step(given[row])
            expected = np.concatenate([theirs.state, _observe(theirs)])
            worst = max(worst, np.abs(ours[row] - expected).max(), abs(rewards[row] - reward))
            flags += bool(terminal[row]) != terminated
        fresh = author.initial(random.split(k_reset, num_seeds))
        state = torch.where(terminal[:, None], fresh, after)
    return worst, flags


def _actions(space, num, key, dtype):
    if isinstance(space, gymnasium.spaces.Discrete):
        action = random.randint(0, int(space.n), num, key)
        return action, [int(a) for a in action]
    # A third beyond each bound, so that clipping is compared as well.
    action = random.uniform((num, *space.shape), key, low=-3.0, high=3.0, dtype=dtype)
    return action, list(action.double().numpy())


def _observe(env):
    """Gymnasium rounds what it shows to float32; this is the same in float64."""
    state = np.asarray(env.state, np.float64)
    return state if len(state) == 4 else np.array([np.cos(state[0]), np.sin(state[0]), state[1]])
