"""The definitions as plain loops over Python numbers, one trajectory at a time, to compare with."""

import itertools
import math

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


def reward_to_go_loop(gamma):
    def loop(reward, terminated, truncated):
        out, following = [], 0.0
        for r, dies, cut in list(zip(reward, terminated, truncated, strict=True))[::-1]:
            following = r + (0.0 if dies or cut else gamma * following)
            out.insert(0, following)
        return out

    return loop


def vtrace_loop(gamma, rho_bar, c_bar, advantage=False):
    """Each target as the sum over all later steps of its trajectory, not by the recursion."""

    def loop(reward, value, next_value, terminated, truncated, log_ratio):
        rho, c = ([min(bar, math.exp(x)) for x in log_ratio] for bar in (rho_bar, c_bar))
        after = [0.0 if dies else x for x, dies in zip(next_value, terminated, strict=True)]
        ends = [dies or cut for dies, cut in zip(terminated, truncated, strict=True)]

        def correction(start):
            total, scale = 0.0, 1.0
            for t in range(start, len(reward)):
                total += scale * rho[t] * (reward[t] + gamma * after[t] - value[t])
                scale *= gamma * c[t]
                if ends[t]:
                    break
            return total

        if not advantage:
            return [value[t] + correction(t) for t in range(len(reward))]
        beyond = [0.0 if ends[t] else correction(t + 1) for t in range(len(reward))]
        return [rho[t] * (reward[t] + gamma * (after[t] + beyond[t]) - value[t]) for t in range(len(reward))]

    return loop


def retrace_loop(gamma, lambda_):
    """Each target as the sum over all later steps of its trajectory, not by the recursion."""

    def loop(reward, action_value, next_value, terminated, truncated, log_ratio):
        def target(start):
            total, scale = action_value[start], 1.0
            for t in range(start, len(reward)):
                if t > start:
                    scale *= gamma * lambda_ * min(1.0, math.exp(log_ratio[t]))
                after = 0.0 if terminated[t] else gamma * next_value[t]
                total += scale * (reward[t] + after - action_value[t])
                if terminated[t] or truncated[t]:
                    break
            return total

        return [target(t) for t in range(len(reward))]

    return loop


def projection_loop(reward, probs, terminated, gamma, v_min, v_max):
    """Algorithm 1 of C51 for one transition; an atom that is hit keeps all of its mass."""
    n = len(probs)
    spacing, out = (v_max - v_min) / (n - 1), [0.0] * n
    for j, p in enumerate(probs):
        moved = reward + (0.0 if terminated else gamma * (v_min + j * spacing))
        b = (min(max(moved, v_min), v_max) - v_min) / spacing
        lower, upper = math.floor(b), math.ceil(b)
        if lower == upper:
            out[lower] += p
        else:
            out[lower] += p * (upper - b)
            out[upper] += p * (b - lower)
    return out


def quantile_loop(value, target, kappa, tau):
    """The quantile Huber loss of one sample."""
    total = 0.0
    for level, quantile in zip(tau, value, strict=True):
        for sample in target:
            u = sample - quantile
            size = 0.5 * u * u if abs(u) <= kappa else kappa * (abs(u) - 0.5 * kappa)
            total += abs(level - (1.0 if u < 0 else 0.0)) * size / kappa / len(target)
    return total
