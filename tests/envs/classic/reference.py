"""Our dynamics against Gymnasium's own environments, with our state injected before every step."""

import gymnasium
import numpy as np
import torch

from frl import random


def worst_difference(author, gym_id, inject, num_seeds, num_steps, dtype, initial=None):
    """The greatest |ours - theirs| over observation, state and reward, and the number of terminal flags that differ.

    Ours is one batch of `num_seeds` rows under random actions, reset where terminal. `inject(env, state)` puts a state
    into Gymnasium's environment; `initial(keys)` is where episodes begin, the author's own beginning by default. Where
    Gymnasium rounds its state to float32, ours is rounded too before it is compared.
    """
    theirs, initial = gymnasium.make(gym_id).unwrapped, initial or author.initial
    key = random.key(num_seeds)
    state = initial(random.split(key, num_seeds))
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
            kept = np.asarray(theirs.state)
            expected = np.concatenate([kept, OBSERVED.get(gym_id, lambda state: state)(kept.astype(np.float64))])
            worst = max(worst, np.abs(ours[row].astype(kept.dtype) - expected).max(), abs(rewards[row] - reward))
            flags += bool(terminal[row]) != terminated
        fresh = initial(random.split(k_reset, num_seeds))
        state = torch.where(terminal[:, None], fresh, after)
    return worst, flags


def anywhere(low, high):
    """Beginnings uniform between two float64 states, in place of the author's."""
    low, high = (torch.tensor(bound, dtype=torch.float64) for bound in (low, high))
    return lambda keys: low + (high - low) * random.uniform(len(low), keys, dtype=torch.float64)


def _actions(space, num, key, dtype):
    if isinstance(space, gymnasium.spaces.Discrete):
        action = random.randint(0, int(space.n), num, key)
        return action, [int(a) for a in action]
    # A third beyond each bound, so that clipping is compared as well.
    action = random.uniform((num, *space.shape), key, low=-3.0, high=3.0, dtype=dtype)
    return action, list(action.double().numpy())


# Gymnasium rounds what it shows to float32; this is the same in float64, from the state.
OBSERVED = {
    "Pendulum-v1": lambda s: np.array([np.cos(s[0]), np.sin(s[0]), s[1]]),
    "Acrobot-v1": lambda s: np.array([np.cos(s[0]), np.sin(s[0]), np.cos(s[1]), np.sin(s[1]), s[2], s[3]]),
}
