"""Records episodes of the minatar package's Breakout, for the tests of ours; ours is no part of it.

    pip install --no-deps minatar==1.0.15        # its display alone needs matplotlib and seaborn
    python tests/envs/minatar/record_breakout.py

The package is no dependency of the tests: it is registered with Gymnasium as soon as it is installed, and complains at
every import that seaborn is missing.
"""

from pathlib import Path

import numpy as np

FILE = Path(__file__).parent / "breakout.npz"
EPISODES, STEPS = 16, 800
MEANING = np.array([0, 1, 3])  # of our actions: nothing, left, right


def main() -> None:
    """Each episode [STEPS]: the action that was taken, sticky or asked for, and what came of it; the first row before.

    The paddle's column, the ball and its trail as row · 10 + column, the bricks as ten bits for each of three rows.
    """
    names = ("action", "paddle", "ball", "trail", "bricks", "reward", "terminal", "length")
    record = {name: np.zeros((EPISODES, STEPS + 1), dtype=np.uint8) for name in names[:4]}
    record |= {"bricks": np.zeros((EPISODES, STEPS + 1, 3), dtype=np.uint16)}
    record |= {name: np.zeros((EPISODES, STEPS + 1), dtype=np.uint8) for name in ("reward", "terminal")}
    for episode in range(EPISODES):
        play(episode, record)
    np.savez_compressed(FILE, **record)
    print(FILE, FILE.stat().st_size, "bytes; bricks", record["reward"].sum(1), "ends", record["terminal"].argmax(1))


def play(episode: int, record: dict[str, np.ndarray]) -> None:
    from minatar import Environment  # tests that are collected from here must not need it

    env, chance = Environment("breakout", 0.1 if episode % 4 < 3 else 0.0), np.random.RandomState(1000 + episode)
    env.seed(episode)
    env.reset()
    keep(env.state(), episode, 0, record)
    care = (0.0, 0.9, 1.0, 1.0)[episode % 4]  # how often the paddle goes to where the ball comes down
    for t in range(1, STEPS + 1):
        ball, trail, paddle = (int(record[name][episode, t - 1]) for name in ("ball", "trail", "paddle"))
        toward = np.sign(landing(ball, trail) - paddle)
        wish = (0, 2, 1)[int(toward)] if chance.rand() < care else chance.randint(3)
        reward, terminal = env.act(MEANING[wish])
        record["action"][episode, t] = {0: 0, 1: 1, 3: 2}[int(env.last_action)]
        record["reward"][episode, t], record["terminal"][episode, t] = reward, terminal
        keep(env.state(), episode, t, record)
        if terminal:
            return


def landing(ball: int, trail: int) -> int:
    """The column in which a ball that flies down is above the last row, if no brick is in the way."""
    (y, x), (last_y, last_x) = divmod(ball, 10), divmod(trail, 10)
    if y < last_y:
        return x
    there = (x if x > last_x or (x == last_x == 0) else 19 - x) + 8 - y  # along the board and back
    return min(there % 20, 19 - there % 20)


def keep(state: np.ndarray, episode: int, t: int, record: dict[str, np.ndarray]) -> None:
    """Each of the first three channels has one cell; the bricks are in the rows 1 to 3."""
    places = [np.flatnonzero(state[:, :, channel]) for channel in range(3)]
    assert all(place.shape == (1,) for place in places)
    assert places[0] >= 90
    assert not state[[0, *range(4, 10)], :, 3].any()
    record["paddle"][episode, t] = places[0].item() - 90
    record["ball"][episode, t], record["trail"][episode, t] = places[1].item(), places[2].item()
    record["bricks"][episode, t] = state[1:4, :, 3] @ (1 << np.arange(10))


if __name__ == "__main__":
    main()
