"""Steps with the return that they led to: what policies learn from that are told which return to reach."""

import torch

from frl.functional import discounted_returns
from frl.tensordict import Key, TensorDict, scalar

_NEEDED: tuple[Key, ...] = tuple(("next", name) for name in ("reward", "terminated", "truncated", "episode_length"))


def return_conditioned(batch: TensorDict) -> TensorDict:
    """The steps of all episodes that end in `batch`, in order, with "return_to_go" and "time" [M, 1].

    "return_to_go" is the sum of this and all later rewards of the episode, "time" the number of the step in it, int64.
    What an episode that goes on after the batch will return is not known, so its steps are left out; how many stay
    depends on the values: call it outside of compiled programs.

    Args: batch: [*B, T], as `collect` makes it.
    Returns: [M]: one episode of one environment after the other, for a buffer such as `sequence`.
    Raises: KeyError for a missing entry; ValueError if there is no time axis, or if no episode ends.

    >>> end = torch.tensor([[False], [True], [False]])
    >>> after = {"reward": torch.ones(3, 1), "terminated": end, "truncated": end & False}
    >>> after["episode_length"] = torch.tensor([[4.0], [5.0], [1.0]])
    >>> td = return_conditioned(TensorDict({"next": after}, [3]))
    >>> td["return_to_go"].flatten().tolist(), td["time"].flatten().tolist()
    ([2.0, 1.0], [3, 4])
    """
    for key in _NEEDED:
        if key not in batch:
            found = list(batch.keys(include_nested=True, leaves_only=True))
            raise KeyError(f"return_conditioned: the batch has no entry {key!r}, only {found}; make it by collect.")
    if not batch.batch_dims:
        raise ValueError("return_conditioned: the batch has batch size [] but must be [*B, T]; pass a whole batch.")
    after = batch["next"]
    reward = scalar(after, "reward").movedim(-1, 0)
    ended = (scalar(after, "terminated") | scalar(after, "truncated")).movedim(-1, 0)
    known = ended.flip(0).cummax(0).values.flip(0)
    if not bool(known.any()):
        raise ValueError(
            f"return_conditioned: no episode ends in the {reward.shape[0]} steps of the batch, so no return is known; "
            "collect more steps."
        )
    to_go = discounted_returns(reward, (~ended).to(reward.dtype), torch.zeros_like(reward[0])).movedim(0, -1)
    time = scalar(after, "episode_length").to(torch.int64) - 1
    labelled = batch.update({"return_to_go": to_go.unsqueeze(-1), "time": time.unsqueeze(-1)})
    return labelled.reshape(-1)[known.movedim(0, -1).reshape(-1)]
