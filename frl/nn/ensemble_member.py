"""Which member of an ensemble acts: one for a whole episode."""

from torch import Tensor, nn

from frl import check, tree
from frl.nn.exploration_type import ExplorationType, exploration_type
from frl.nn.modules import require_key, title
from frl.nn.printing import describe
from frl.specs import Categorical, Composite
from frl.tensordict import Key, TensorDict, scalar


class EnsembleMemberModule(nn.Module):
    """Draws for each episode the member of an ensemble that acts in it, "member" [*B, 1], an integer below the number.

    Where "is_init" [*B, 1] is set a member is drawn, uniformly; elsewhere the one at the root stays. It is written at
    the root, for who acts now, and under "next", from where a step of the environment takes it to the following root:
    so that a plan that only pays after many steps is followed to its end. An environment carries it by the transforms
    `InitTracker()` and `make_tensordict_primer(module)`.

    It draws, and needs `key=`, where the exploration type is RANDOM or nothing is said of it; MODE, MEAN and
    DETERMINISTIC leave the member as it is.

    Args: num_members: at least 1.
    Raises: ValueError for less; when called: KeyError without "is_init" or "member"; TypeError if it draws without
        `key=`.
    Source: Osband et al. (2016), "Deep exploration via bootstrapped DQN", arXiv:1602.04621, algorithm 1.

    >>> import torch
    >>> from frl import random
    >>> choose = EnsembleMemberModule(10)
    >>> td = TensorDict({"is_init": torch.tensor([[True], [False]]), "member": torch.tensor([[3], [3]])}, [2])
    >>> td = choose(td, key=random.key(0))
    >>> td["member"].tolist(), td["next", "member"].tolist()
    ([[4], [3]], [[4], [3]])
    """

    in_keys: list[Key]
    out_keys: list[Key]
    draws = True

    def __init__(self, num_members: int):
        super().__init__()
        check.at_least(type(self).__name__, {"num_members": num_members}, 1)
        self.num_members = num_members
        self.in_keys = ["is_init", "member"]
        self.out_keys = ["member", ("next", "member")]

    @property
    def recurrent_state_spec(self) -> Composite:
        """What is carried from step to step, {"member"}."""
        return Composite({"member": Categorical(self.num_members, (1,))})

    def forward(
        self, td: TensorDict, key: Tensor | None = None, exploration: ExplorationType | None = None
    ) -> TensorDict:
        """`td` with the member of each row. key: [2], or [*K, 2], one for each row."""
        for name in self.in_keys:
            if name not in td:
                raise KeyError(
                    f"{type(self).__name__}: the input has no entry {name!r}, only {list(td)}; put InitTracker() and "
                    "make_tensordict_primer(module) around the environment, by TransformedEnv."
                )
        member = td["member"]
        check.shape(title(self), {"member": member}, (*td.batch_size, 1), "take it from the step before")
        if (exploration or exploration_type() or ExplorationType.RANDOM).draws:
            key = require_key(self, key)
            drawn = Categorical(self.num_members, (*td.batch_size[key.ndim - 1 :], 1)).sample(key)
            member = tree.where(scalar(td, "is_init"), drawn, member)
        return td.set("member", member).set(("next", "member"), member)

    def __repr__(self) -> str:
        return describe(self, f"num_members={self.num_members}")
