"""The definitions as plain loops over Python numbers, one trajectory at a time, to compare with."""

import itertools

import torch


def patterns(T):
    """All 3^T ways for T steps to go on, to terminate or to be truncated: two masks [T, 3^T]."""
    ends = torch.tensor(list(itertools.product(range(3), repeat=T))).T
    return ends == 1, ends == 2


def lanes(loop, *steps):
    """`loop` over each column of steps [T, N]."""
    columns = zip(*[x.T.tolist() for x in steps], strict=True)
    return torch.tensor([loop(*column) for column in columns], dtype=torch.float64).T


def gae_loop(gamma, lambda_):
    def loop(reward, value, next_value, terminated, truncated):
        out, following = [], 0.0
        for r, v, after, dies, cut in list(zip(reward, value, next_value, terminated, truncated, strict=True))[::-1]:
            delta = r + (0.0 if dies else gamma * after) - v
            following = delta + (0.0 if dies or cut else gamma * lambda_ * following)
            out.insert(0, following)
        return out

    return loop


def td_lambda_loop(gamma, lambda_):
    def loop(reward, next_value, terminated, truncated):
        out, following = [], next_value[-1]
        for r, after, dies, cut in list(zip(reward, next_value, terminated, truncated, strict=True))[::-1]:
            future = after if cut else (1 - lambda_) * after + lambda_ * following
            following = r if dies else r + gamma * future
            out.insert(0, following)
        return out

    return loop


def n_step_loop(gamma, n):
    def loop(reward, next_value, terminated, truncated):
        return [_n_step(reward, next_value, terminated, truncated, start) for start in range(len(reward))]

    def _n_step(reward, next_value, terminated, truncated, start):
        total, scale = 0.0, 1.0
        for t in range(start, min(start + n, len(reward))):
            total, scale = total + scale * reward[t], scale * gamma
            if terminated[t]:
                return total
            if truncated[t]:
                break
        return total + scale * next_value[t]

    return loop
