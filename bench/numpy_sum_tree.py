"""A binary sum tree in NumPy, as a reference: each level is one operation on the whole batch."""

import numpy as np


class NumpySumTree:
    """Priorities of `capacity` rows, drawn in proportion; importance weights need the least, in a second tree."""

    def __init__(self, capacity: int, alpha: float, beta: float, eps: float = 1e-8, seed: int = 0):
        self.leaves = 1 << (capacity - 1).bit_length()
        self.sum, self.min = np.zeros(2 * self.leaves), np.full(2 * self.leaves, np.inf)
        self.alpha, self.beta, self.eps = alpha, beta, eps
        self.random = np.random.default_rng(seed)

    def update(self, index: np.ndarray, priority: np.ndarray) -> None:
        node = index + self.leaves
        self.sum[node] = self.min[node] = (priority + self.eps) ** self.alpha
        while node[0] > 1:
            node >>= 1
            self.sum[node] = self.sum[2 * node] + self.sum[2 * node + 1]
            self.min[node] = np.minimum(self.min[2 * node], self.min[2 * node + 1])

    def sample(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        mass = self.random.random(count) * self.sum[1]
        node = np.ones(count, np.int64)
        while node[0] < self.leaves:
            node *= 2
            left = self.sum[node]
            right = mass >= left
            mass -= left * right
            node += right
        return node - self.leaves, (self.sum[node] / self.min[1]) ** -self.beta
