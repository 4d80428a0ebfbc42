import pytest
import torch

from frl import random
from frl.envs.bandits import BanditState, BernoulliBandit, GaussianBandit

KEY = random.key(0)
BOTH = [BernoulliBandit(), GaussianBandit()]


class Reference:
    """What a learner sees of a two-armed bandit: the last reward, the last action, the time; what it pays is told."""

    def __init__(self):
        self.seen, self.time = [0.0, 0.0, 0.0], 0

    def observe(self):
        return [*self.seen, -1 + 2 * self.time / 100]

    def step(self, action, reward):
        self.time += 1
        self.seen = [reward, float(action == 0), float(action == 1)]
        return self.time == 100


@pytest.mark.parametrize("author", BOTH)
def test_shows_the_last_reward_the_last_action_and_the_time_and_ends_after_100_pulls(author):
    state, reference = author.initial(KEY[None]), Reference()
    for t in range(100):
        assert author.observation(state, KEY)[0].tolist() == pytest.approx(reference.observe(), abs=1e-6)
        key = random.fold_in(KEY, t)
        action = random.randint(0, 2, 1, key)
        before, state = state, author.transition(state, action, random.split(key, 1))
        ended = reference.step(action.item(), author.reward(before, action, state, KEY).item())
        assert bool(author.terminal(state, KEY)) == ended
    assert ended
    assert author.observation(state, KEY)[0].tolist() == pytest.approx(reference.observe(), abs=1e-6)


@pytest.mark.parametrize("author", BOTH)
def test_the_arms_stay_the_same_within_an_episode_and_differ_between_episodes(author):
    state = author.initial(random.split(KEY, 50))
    after = author.transition(state, torch.ones(50, dtype=torch.int64), random.split(KEY, 50))
    assert torch.equal(after.arms, state.arms)
    assert state.arms.unique(dim=0).shape[0] > 1


@pytest.mark.parametrize("author", BOTH)
def test_the_number_of_pulls_is_physics(author):
    params = author.get_default_params()._replace(num_pulls=torch.tensor([4, 10]))
    state = author.initial(random.split(KEY, 2))._replace(time=torch.tensor([4, 4]))
    assert author.terminal(state, KEY, params).tolist() == [True, False]
    assert author.observation(state, KEY, params)[:, -1].tolist() == pytest.approx([1.0, -0.2])


def test_the_picture_shows_the_arms_and_the_last_pull():
    author = BernoulliBandit()
    arms = torch.tensor([0.1, 0.9])
    state = BanditState(arms, torch.tensor(1), torch.tensor(1.0), torch.tensor(50))
    picture = author.draw(state)
    assert picture[160 - 1 - 100, 85].tolist() == [
        153,
        194,
        255,
    ]  # the second arm reaches above 100, the first does not
    assert picture[160 - 1 - 100, 25].tolist() == [255, 255, 255]
    assert picture[160 - 1 - 120, 103].tolist() == [204, 51, 51]  # it paid 1
    assert picture[160 - 1 - 12, 85].tolist() == [0, 0, 0]  # it was pulled last
    assert (picture[157, 20].tolist(), picture[157, 80].tolist()) == ([0, 0, 0], [255, 255, 255])  # half of the time
