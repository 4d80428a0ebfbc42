"""Bad calls of environments that are stepped together, and of what they are made by."""

from functools import partial
from typing import Any

import gymnasium

from frl import TensorDict, envs
from frl.envs.pixels import FrameSkip, Pixels
from frl.specs.plain import from_plain
from tests.bad_input.case import KEY, bad, ints, zeros
from tests.envs import faulty

CART = partial(envs.GymEnv, "CartPole-v1")
PAIR = envs.SerialEnv(2, CART)
PURE = envs.SerialEnv(2, faulty.pure_cartpole)


def raising(where: str) -> Any:
    return envs.ParallelEnv(2, [faulty.honest, lambda: faulty.faulty("raise", where)], "fork")


def after_close() -> Any:
    env = envs.SerialEnv(2, CART)
    env.close()
    return env.reset()


WORKERS = {
    "no workers": bad(lambda: envs.SerialEnv(0, CART), ValueError, "num_workers", "0", "at least 1"),
    "half a worker": bad(lambda: envs.ParallelEnv(1.5, CART), ValueError, "num_workers", "1.5", "must be an integer"),
    "fewer functions than workers": bad(
        lambda: envs.SerialEnv(3, [CART, CART]),
        ValueError,
        "2 functions",
        "num_workers is 3",
        "one for each worker",
    ),
    "an environment in place of its function": bad(
        lambda: envs.SerialEnv(2, PAIR), TypeError, "create_env_fn", "SerialEnv", "functools.partial"
    ),
    "a creator of no function": bad(
        lambda: envs.EnvCreator(3), TypeError, "create_env_fn", "int", "must be a function that makes an environment"
    ),
    "a creator of no environment": bad(
        lambda: envs.EnvCreator(partial(gymnasium.make, "CartPole-v1"))(),
        TypeError,
        "TimeLimit",
        "must return an environment of frl",
        "GymWrapper(env)",
    ),
    "workers that differ": bad(
        lambda: envs.SerialEnv(2, [CART, faulty.pure_cartpole]),
        ValueError,
        "worker 1 differs from worker 0",
        "device: None, not 'cpu'",
        "all must be alike",
    ),
    "an action for too few workers": bad(
        lambda: PAIR.step(PAIR.reset(KEY).set("action", ints(2, 3))),
        ValueError,
        '"action"',
        "[2, 3]",
        "[2, 2]",
        "for each environment",
    ),
    "workers before a reset": bad(
        lambda: envs.SerialEnv(2, CART).step(TensorDict({"action": ints(2, 2)}, [2])),
        RuntimeError,
        "step before a reset",
        "call env.reset()",
    ),
    "workers after close": bad(after_close, RuntimeError, "after close()", "make another one"),
    "workers at another place": bad(
        lambda: PURE.step(PURE.rand_action(PURE.reset(KEY), KEY).set("state", zeros(2, 3))),
        ValueError,
        "'state'",
        "[2, 3]",
        "[2, 4]",
        "begin with env.reset()",
    ),
    "an unknown way to start": bad(
        lambda: envs.ParallelEnv(2, CART, mp_start_method="thread"),
        ValueError,
        "mp_start_method",
        "'thread'",
        "must be one of",
    ),
    "no time": bad(lambda: envs.ParallelEnv(2, CART, timeout=0), ValueError, "timeout", "0", "must be above 0"),
    "no number of seconds": bad(
        lambda: envs.ParallelEnv(2, CART, timeout=None), TypeError, "timeout", "None", "must be a number of seconds"
    ),
    "what cannot be sent": bad(
        lambda: envs.ParallelEnv(2, lambda: envs.GymEnv("CartPole-v1")),
        TypeError,
        "<lambda>",
        "cannot be sent to a worker",
        "mp_start_method='fork'",
    ),
    "a worker that raises while it is made": bad(
        lambda: raising("construct"),
        envs.WorkerRaised,
        "worker 1",
        "LookupError",
        "the making of its environment: planted",
        "mend the environment",
    ),
    "a worker that raises in a step": bad(
        lambda: (lambda env: env.rand_step(env.reset()))(raising("step")),
        envs.WorkerRaised,
        "worker 1",
        "LookupError in a step: planted",
        "mend the environment",
    ),
    "no frame at all": bad(
        lambda: envs.GymEnv("CartPole-v1", frame_skip=0), ValueError, "frame_skip", "0", "must be at least 1"
    ),
    "frames in part": bad(
        lambda: FrameSkip(gymnasium.make("CartPole-v1"), 1.5),
        TypeError,
        "frame_skip",
        "1.5",
        "must be an integer",
    ),
    "an environment without pixels": bad(
        lambda: Pixels(faulty.Faulty("none", "nowhere")), ValueError, "NoneType", "uint8 [H, W, 3]", "from_pixels=False"
    ),
    "pixels in the wrong form": bad(
        lambda: Pixels(gymnasium.make("FrozenLake-v1", render_mode="ansi")),
        ValueError,
        "renders str",
        "uint8 [H, W, 3]",
        "render_mode='rgb_array'",
    ),
    "a spec of no kind": bad(lambda: from_plain({"kind": "Ball", "shape": []}), ValueError, "'Ball'", "must be one of"),
}
