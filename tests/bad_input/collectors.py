"""Bad calls of collectors and of what they send to their workers."""

import threading
from functools import partial

import gymnasium
from torch import nn

from frl import collectors, envs, random
from frl.envs.creator import another
from frl.envs.sending import packed, unpacked
from frl.nn import TensorDictModule, from_module
from tests.bad_input.case import KEY, bad, zeros
from tests.collectors import policies
from tests.envs import faulty

CART = partial(envs.GymEnv, "CartPole-v1")
POLICY = policies.actor()
PARAMS = from_module(POLICY)
COLLECTOR = collectors.Collector(faulty.pendulum, POLICY, frames_per_batch=4)
SIX = envs.SerialEnv(3, CART)
Sync = partial(collectors.MultiSyncCollector, mp_start_method="fork")


def after_shutdown():
    collector = collectors.Collector(CART)
    collector.shutdown()
    return next(iter(collector))


def locked():
    env = envs.GymWrapper(gymnasium.make("CartPole-v1"))
    env.lock = threading.Lock()
    return collectors.Collector(env)


COLLECTORS = {
    "a collector of Gymnasium's": bad(
        lambda: collectors.Collector(gymnasium.make("CartPole-v1")), TypeError, "an environment is a", "GymWrapper(env)"
    ),
    "a collector of what cannot be made once more": bad(
        locked, TypeError, "GymWrapper(env=CartPole-v1", "cannot be made once more", "give a function that makes it"
    ),
    "a policy that cannot be called": bad(
        lambda: collectors.Collector(CART, 3),
        TypeError,
        "policy is a int",
        "must be a function of a TensorDict",
        "None",
    ),
    "a policy without shapes yet": bad(
        lambda: collectors.Collector(CART, TensorDictModule(nn.LazyLinear(2), ["observation"], ["action"])),
        *(ValueError, "module (LazyLinear) is lazy", "call materialize(module, td) first"),
    ),
    "no frame in a batch": bad(
        lambda: collectors.Collector(CART, frames_per_batch=0), ValueError, "frames_per_batch", "0", "at least 1"
    ),
    "half a frame in a batch": bad(
        lambda: collectors.Collector(CART, frames_per_batch=1.5), TypeError, "frames_per_batch", "1.5", "an integer"
    ),
    "frames that are not shared out": bad(
        lambda: collectors.Collector(SIX, frames_per_batch=50),
        *(ValueError, "frames_per_batch is 50", "multiple of the 3", "give 48 or 51"),
    ),
    "frames that workers cannot share": bad(
        lambda: Sync([CART] * 3, frames_per_batch=2), ValueError, "frames_per_batch is 2", "the 3 env", "give 3 or 3"
    ),
    "no frame at all to collect": bad(
        lambda: collectors.Collector(CART, total_frames=0), ValueError, "total_frames is 0", "-1 for no limit"
    ),
    "trajectories without a frame": bad(
        lambda: collectors.Collector(CART, max_frames_per_traj=0), ValueError, "max_frames_per_traj is 0", "-1 for no"
    ),
    "fewer random frames than none": bad(
        lambda: collectors.Collector(CART, init_random_frames=-1), ValueError, "init_random_frames", "-1", "at least 0"
    ),
    "a batch after shutdown": bad(after_shutdown, RuntimeError, "used after shutdown()", "make another one"),
    # ---- weights
    "weights of chance": bad(
        lambda: collectors.Collector(CART).update_weights(PARAMS),
        *(TypeError, "policy is None, which acts at random", "pass an nn.Module"),
    ),
    "weights of a function": bad(
        lambda: collectors.Collector(CART, lambda td: td).update_weights(PARAMS),
        *(TypeError, "policy is a function", "pass an nn.Module"),
    ),
    "a list of weights": bad(
        lambda: COLLECTOR.update_weights([zeros(1)]), TypeError, "params is a list", "frl.nn.from_module(policy)"
    ),
    "weights with one too few": bad(
        lambda: COLLECTOR.update_weights(PARAMS.exclude(("module", "bias"))),
        *(ValueError, "params has no module.bias", "TensorDictModule needs", "frl.nn.from_module(policy)"),
    ),
    "weights with one too many": bad(
        lambda: COLLECTOR.update_weights(PARAMS.set("scale", zeros(1))),
        *(ValueError, "params has scale", "no weight of that name", "frl.nn.from_module(policy)"),
    ),
    "weights of another shape": bad(
        lambda: COLLECTOR.update_weights(PARAMS.set(("module", "bias"), zeros(2))),
        *(ValueError, "module.bias has shape [2]", "needs [1]", "frl.nn.from_module(policy)"),
    ),
    "weights of another precision": bad(
        lambda: COLLECTOR.update_weights(PARAMS.double()),
        *(TypeError, "torch.float64", "needs torch.float32", "frl.nn.from_module(policy)"),
    ),
    # ---- workers
    "one function for no list of workers": bad(
        lambda: Sync(CART), TypeError, "create_env_fn is a partial", "a list with one function or environment for each"
    ),
    "a collector of no workers": bad(
        lambda: collectors.MultiAsyncCollector([]), TypeError, "create_env_fn is empty", "as [create] * 2"
    ),
    "more devices than workers": bad(
        lambda: Sync([CART], device=["cpu", "cpu"]), ValueError, "2 devices", "1 functions", "give one for each worker"
    ),
    "another way to start a collector": bad(
        lambda: collectors.MultiAsyncCollector([CART], mp_start_method="thread"),
        *(ValueError, "mp_start_method", "'thread'", "must be one of"),
    ),
    "an environment that cannot be sent to a collector": bad(
        lambda: collectors.MultiSyncCollector([lambda: CART()]),
        *(TypeError, "create_env_fn", "cannot be sent to a worker", "mp_start_method='fork'"),
    ),
    "a policy that cannot be sent": bad(
        lambda: collectors.MultiAsyncCollector([CART], lambda td: td),
        *(TypeError, "policy", "<lambda>", "cannot be sent to a worker", "mp_start_method='fork'"),
    ),
    "a policy that writes nothing": bad(
        lambda: next(iter(Sync([CART], lambda td: td))),
        *(
            envs.WorkerRaised,
            "worker 0",
            "ValueError in the gathering of a batch",
            "mend the environment or the policy",
        ),
    ),
    "collectors of different things": bad(
        lambda: Sync([CART, faulty.pendulum]), ValueError, "worker 1 differs from worker 0", "all must be alike"
    ),
    # ---- what they are made of
    "keys for other rows": bad(
        lambda: random.rows(random.split(KEY, 3), (2, 3)), ValueError, "rows: shape [2, 3]", "pass one key, or as many"
    ),
    "a key without its words": bad(
        lambda: random.rows(zeros(3), (2,)), TypeError, "rows", "torch.float32", "frl.random.key(0)"
    ),
    "keys for other workers": bad(
        lambda: SIX.reset(random.split(KEY)), ValueError, "key= has shape [2, 2]", "[3, 2] with one key for each worker"
    ),
    "another one of nothing": bad(lambda: another("a test", None), TypeError, "a NoneType", "GymWrapper(env)"),
    "a lock that is sent": bad(
        lambda: packed("a test", "work", threading.Lock(), "spawn", "send less"),
        *(TypeError, "work", "cannot be sent", "send less, or pass mp_start_method='fork'"),
    ),
    "bytes of nothing": bad(
        lambda: unpacked("work", b"?"), TypeError, "work cannot be found in a worker", "mp_start_method='fork'"
    ),
}
