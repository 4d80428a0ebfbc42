"""Bad calls of what RL² is put together from: trials, and what a policy did last."""

from frl import envs
from frl import transforms as T
from tests.bad_input.case import bad
from tests.bad_input.environments import CART

RL2 = {
    "an environment for its action spec": bad(
        lambda: T.LastActionReward(CART),
        TypeError,
        "LastActionReward",
        "a FunctionalEnv",
        "pass env.single_action_spec",
    ),
    "one key for two entries": bad(
        lambda: T.LastActionReward(CART.single_action_spec, ["last"]),
        *(ValueError, "LastActionReward", "1 keys", "must have 2", "one for the action and one for the reward"),
    ),
    "trials of no episode": bad(lambda: T.Trials(0), ValueError, "Trials", "num_episodes is 0", "at least 1"),
    "trials of what draws its own tasks": bad(
        lambda: T.TransformedEnv(envs.GymEnv("CartPole-v1"), T.Trials(2)),
        TypeError,
        "Trials",
        "is not pure",
        "frl.envs.ids()",
    ),
}
