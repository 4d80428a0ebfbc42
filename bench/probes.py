"""The probe matrix: every algorithm in every environment of known value that fits it, 20 seeds at once, in both modes.

Claim: for each seed, at every step of the greedy policy, the value that was learnt differs from the true one by at most
0.05, and the action loses at most 0.05 against the best one; in eager mode and compiled.

    python bench/probes.py                              # goes on where it was stopped; --fresh begins again
    python bench/probes.py --only SAC DQN --mode eager  # some rows; several commands may run at the same time
"""

import argparse
import copy
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from gymnasium import spaces
from report import machine, read, write
from torch import Tensor, nn

import frl
from frl import TensorDict, algorithms, random, training, tree
from frl.algorithms import ActorCritic, ActorQ, Algorithm
from frl.distributions import MaskedOneHotCategorical
from frl.envs import Env, FunctionalEnv, probes
from frl.nn import (
    MLP,
    EnsembleMemberModule,
    ProbabilisticActor,
    QValueModule,
    RandomizedPrior,
    TensorDictModule,
    TensorDictSequential,
    ensemble_call,
    functional_call,
    initialize,
)
from frl.replay import uniform
from frl.tensordict import scalar
from frl.transforms import (
    Compose,
    FlattenObservation,
    InitTracker,
    ToTensorImage,
    TransformedEnv,
    make_tensordict_primer,
)

SEEDS, GAMMA, TOLERANCE = 20, 0.5, 0.05
CELLS = (32,)

Value = Callable[[TensorDict, TensorDict], Tensor]
"""The learnt value [*B] of states with a greedy action, from the parameters of the algorithm."""


class Learner(NamedTuple):
    """An algorithm with its loop, what it takes the states for, and the environment with what its networks need."""

    env: Env
    algorithm: Algorithm
    loop: training.Loop
    value: Value
    num_steps: int = 100
    remember: Callable[[Any, TensorDict], TensorDict] = lambda params, td: td


def prepared(probe: probes.Probe, batch_size: int) -> Env:
    env: Env = FunctionalEnv(probe, batch_size, max_steps=probe.max_steps)
    if isinstance(probe, probes.Pictured):
        env = TransformedEnv(env, Compose(ToTensorImage(["observation"]), FlattenObservation(-3, -1, ["observation"])))
    return env


def masked() -> nn.Module:
    """The usual policy, but what "action_mask" forbids is never drawn."""
    with torch.random.fork_rng(devices=[]):
        logits = TensorDictModule(MLP(4, 3, num_cells=list(CELLS)), ["observation", "action_mask"], ["logits"])
    return ProbabilisticActor(
        TensorDictSequential(logits, TensorDictModule(Flags(), ["action_mask"], ["mask"])),
        ["logits", "mask"],
        distribution_class=MaskedOneHotCategorical,
        return_log_prob=True,
    )


class Flags(nn.Module):
    def forward(self, mask: Tensor) -> Tensor:
        return mask != 0


def on_policy(make: Callable[..., Algorithm], config: Any, num_steps: int = 100) -> Callable[..., Learner]:
    """Learns from each rollout, at a rate that falls to zero."""

    def made(probe: probes.Probe) -> Learner:
        env = prepared(probe, 16)
        specs = env.single_observation_spec, env.single_action_spec
        networks = algorithms.actor_critic(*specs, CELLS)
        if "action_mask" in specs[0]:
            actor, critic = masked(), networks.critic
            networks = ActorCritic(actor, critic, lambda key: algorithms.networks.first_parameters(actor, critic, key))
        algorithm = make(networks, config)
        return Learner(env, algorithm, training.on_policy(env, algorithm, 8), values_of(networks), num_steps)

    return made


def recurrent(make: Callable[..., Algorithm], config: Any, num_steps: int = 100) -> Callable[..., Learner]:
    def made(probe: probes.Probe) -> Learner:
        env = prepared(probe, 16)
        networks = algorithms.recurrent_actor_critic(env.single_observation_spec, env.single_action_spec, 16, CELLS)
        env = carrying(env, nn.ModuleList([networks.actor, networks.critic]))
        algorithm = make(networks, config)
        loop = training.on_policy(env, algorithm, 8)
        return Learner(
            env,
            algorithm,
            loop,
            values_of(networks),
            num_steps,
            remember=lambda params, td: networks.remember(params["critic"], td),
        )

    return made


def carrying(env: Env, module: nn.Module) -> Env:
    """The environment, with what the module carries from step to step."""
    return TransformedEnv(env, Compose(InitTracker(), make_tensordict_primer(module)))


def values_of(networks: ActorCritic) -> Value:
    return lambda params, td: networks.value(params["critic"], td)


def off_policy(make: Callable[[Env], tuple[Algorithm, Value]], num_steps: int = 100) -> Callable[..., Learner]:
    """Learns from a small memory that soon forgets the first, random, actions."""

    def made(probe: probes.Probe) -> Learner:
        env = prepared(probe, 16)
        algorithm, value = make(env)
        return Learner(env, algorithm, training.off_policy(env, algorithm, uniform(2048, 64), 8, 8), value, num_steps)

    return made


def deep_q(env: Env) -> tuple[Algorithm, Value]:
    networks = algorithms.q_network(env.single_observation_spec, env.single_action_spec, CELLS)
    greedy = QValueModule(spec=networks.action_spec)

    def value(params: TensorDict, td: TensorDict) -> Tensor:
        return scalar(greedy(functional_call(networks.module, params["value"], td)), "chosen_action_value")

    config = algorithms.DQNConfig(
        learning_rate=1e-2, gamma=GAMMA, target_rate=0.1, epsilon_updates=200, epsilon_end=0.1, anneal_updates=800
    )
    return algorithms.dqn(networks, config), value


def bootstrapped(probe: probes.Probe) -> Learner:
    env = prepared(probe, 16)
    networks = algorithms.q_network(env.single_observation_spec, env.single_action_spec, CELLS)
    config = algorithms.BootstrappedDQNConfig(num_members=5, prior_scale=1.0, **_OFF)
    network = RandomizedPrior(networks.module, copy.deepcopy(networks.module))
    chosen = QValueModule(spec=networks.action_spec).action_space

    def value(params: TensorDict, td: TensorDict) -> Tensor:
        scale = torch.full((config.num_members,), config.prior_scale)
        members = TensorDict({"module": params["value"], "prior": params["prior"], "scale": scale})
        return chosen.value_of(ensemble_call(network, members, td)["action_value"].mean(0), td["action"])[..., 0]

    algorithm = algorithms.bootstrapped_dqn(networks, config)
    env = carrying(env, EnsembleMemberModule(config.num_members))
    return Learner(env, algorithm, training.off_policy(env, algorithm, uniform(2048, 64), 8, 8), value)


def deterministic(make: Callable[..., Algorithm], config: Any) -> Callable[[Env], tuple[Algorithm, Value]]:
    def made(env: Env) -> tuple[Algorithm, Value]:
        networks = algorithms.actor_q(env.single_observation_spec, env.single_action_spec, CELLS)
        return make(networks, config), critics_of(networks)

    return made


def soft(make: Callable[..., Algorithm], config: Any) -> Callable[[Env], tuple[Algorithm, Value]]:
    def made(env: Env) -> tuple[Algorithm, Value]:
        networks = algorithms.stochastic_actor_q(env.single_observation_spec, env.single_action_spec, CELLS)
        if "action_mask" in env.single_observation_spec:
            actor, value = masked(), networks.value

            def init(key: Tensor) -> TensorDict:
                k_actor, k_value = random.split(key)
                return TensorDict({"actor": initialize(actor, k_actor), "value": initialize(value, k_value)})

            networks = ActorQ(actor, value, networks.action_spec, init)
        return make(networks, config), critics_of(networks)

    return made


def critics_of(networks: ActorQ) -> Value:
    """The mean of the critics, or the only one, for the action that was taken."""
    chosen = QValueModule(spec=networks.action_spec).action_space if networks.action_spec.domain == "discrete" else None

    def value(params: TensorDict, td: TensorDict) -> Tensor:
        if "qvalue" in params:
            found = ensemble_call(networks.value, params["qvalue"], td)
        else:
            found = tree.map(lambda x: x.unsqueeze(0), functional_call(networks.value, params["value"], td))
        if chosen is None:
            return found["state_action_value"].mean(0)[..., 0]
        return chosen.value_of(found["action_value"].mean(0), td["action"])[..., 0]

    return value


_OFF = {"gamma": GAMMA, "learning_rate": 1e-2, "anneal_updates": 800.0, "target_rate": 0.1}
_LONGER = _OFF | {"anneal_updates": 1600.0}
_ONCE: dict[str, Any] = {"gamma": GAMMA, "learning_rate": 3e-2, "anneal_updates": 300.0, "max_grad_norm": 1.0}
_OFTEN: dict[str, Any] = {"gamma": GAMMA, "learning_rate": 1e-2, "anneal_updates": 400.0, "entropy_cost": 0.0}
_OFTEN |= {"num_epochs": 4, "num_minibatches": 1}
PPO = algorithms.PPOConfig(value_clip=float("inf"), **_OFTEN)
LEARNERS: dict[str, tuple[str, Callable[..., Learner]]] = {
    "PPO": ("any", on_policy(algorithms.ppo, PPO)),
    "PPO with a penalty": ("any", on_policy(algorithms.ppo_penalty, algorithms.PPOPenaltyConfig(**_OFTEN))),
    "A2C": ("any", on_policy(algorithms.a2c, algorithms.A2CConfig(entropy_cost=0.0, **_ONCE), 300)),
    "REINFORCE": ("any", on_policy(algorithms.reinforce, algorithms.ReinforceConfig(**_ONCE), 300)),
    "recurrent PPO": ("memory", recurrent(algorithms.ppo, PPO)),
    "DQN": ("discrete", off_policy(deep_q)),
    "bootstrapped DQN": ("discrete", bootstrapped),
    "DDPG": ("box", off_policy(deterministic(algorithms.ddpg, algorithms.DDPGConfig(**_LONGER)), 200)),
    "TD3": ("box", off_policy(deterministic(algorithms.td3, algorithms.TD3Config(**_LONGER)), 200)),
    "SAC": ("box", off_policy(soft(algorithms.sac, algorithms.SACConfig(target_entropy=-4.0, alpha=0.1, **_OFF)))),
    "discrete SAC": (
        "choice",
        off_policy(soft(algorithms.sac, algorithms.SACConfig(target_entropy=0.02, alpha=0.1, **_OFF))),
    ),
    "REDQ": (
        "box",
        off_policy(
            soft(
                algorithms.redq,
                algorithms.REDQConfig(num_critics=4, policy_period=2, target_entropy=-4.0, alpha=0.1, **_OFF),
            )
        ),
    ),
    "recurrent A2C": ("memory", recurrent(algorithms.a2c, algorithms.A2CConfig(entropy_cost=0.0, **_ONCE), 300)),
}
"""Each with the actions that it takes: of any kind, discrete ones, one choice among several, or numbers in a box."""

BOX = spaces.Box(-1.0, 1.0, (1,), "float32")  # type: ignore[arg-type]
INDIFFERENT = (
    probes.Probe,
    probes.SeenReward,
    probes.GradedReward,
    probes.LateReward,
    probes.RaggedReward,
    probes.Endless,
    probes.EndlessSign,
    probes.Alternating,
    probes.Pictured,
    probes.Parted,
)
"""Those in which the action does not matter, which take any."""
CHOICES = (probes.ChosenReward, probes.MatchedReward, probes.Masked)
BOXES = (probes.BoxedReward, probes.BoxedMatch)


def fitting(kind: str) -> dict[str, probes.Probe]:
    """The probes in which an algorithm for such actions can do its best."""
    discrete = {cls.__name__: cls() for cls in (*INDIFFERENT, *CHOICES)}
    several = {"Several": probes.Several()}
    boxed = {f"{cls.__name__} of a box": cls(BOX) for cls in INDIFFERENT} | {cls.__name__: cls() for cls in BOXES}
    if kind == "memory":
        return {"Remembered": probes.Remembered(), "MatchedReward": probes.MatchedReward(), **boxed} | discrete
    return {
        "any": discrete
        | several
        | {cls.__name__: cls() for cls in BOXES}
        | {"SeenReward of a box": boxed["SeenReward of a box"]},
        "discrete": discrete | several,
        "choice": discrete,
        "box": boxed,
    }[kind]


def trained(learner: Learner, compiled: bool) -> TensorDict:
    """The states of 20 trainings after so many steps."""
    keys = random.key(torch.arange(SEEDS))
    many = training.population(learner.loop, SEEDS)
    states = many.init(keys)
    step = frl.compile(many.step, donate=True) if compiled else torch.vmap(learner.loop.step)
    for _ in range(learner.num_steps):
        states, _ = step(states)
    return states


def state_of(td: TensorDict) -> Tensor:
    """The state of the probe, which transforms keep apart."""
    return td["state"] if "state" in td else td["transform_state", "env", "state"]


def errors(learner: Learner, probe: probes.Probe, train: TensorDict) -> tuple[Tensor, Tensor]:
    """The largest error of the value that one training learnt, and the most that one of its greedy actions loses."""
    td, wrong, lost = learner.env.reset(random.key(1)), [], []
    for index in range(8):
        acted = learner.remember(train["params"], learner.algorithm.act(train, td, explore=False))
        found, true = learner.value(train["params"], acted), probe.value(state_of(td), GAMMA)
        stepped, td = learner.env.step_and_reset(acted, random.key(2 + index))
        after = stepped["next"]
        future = torch.where(after["terminated"][..., 0], 0.0, probe.value(state_of(after), GAMMA))
        wrong.append((found - true).abs())
        lost.append(true - after["reward"][..., 0] - GAMMA * future)
    return torch.stack(wrong).amax(), torch.stack(lost).amax()


def row(name: str, probe: probes.Probe, compiled: bool) -> dict[str, Any]:
    learner = LEARNERS[name][1](probe)
    begun = time.process_time()
    states = trained(learner, compiled)
    seconds = time.process_time() - begun  # of the processor, the C++ compiler's apart
    wrong, lost = torch.vmap(lambda train: errors(learner, probe, train))(states["train"])
    passed = int(((wrong <= TOLERANCE) & (lost <= TOLERANCE)).sum())
    return {
        "passed": passed,
        "seeds": SEEDS,
        "error": round(wrong.amax().item(), 4),
        "loss": round(lost.amax().item(), 4),
        "s": round(seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=list(LEARNERS), choices=list(LEARNERS), metavar="ALGORITHM")
    parser.add_argument("--probes", nargs="*", help="by default all that fit")
    parser.add_argument("--mode", choices=["eager", "compiled"])
    parser.add_argument("--fresh", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.fresh:
        keep({})
    for name in arguments.only:
        for label, probe in fitting(LEARNERS[name][0]).items():
            for mode in [arguments.mode] if arguments.mode else ["eager", "compiled"]:
                key, rows = f"{name} · {label} · {mode}", read("probes").get("rows", {})
                if rows.get(key, {}).get("passed") == SEEDS or (arguments.probes and label not in arguments.probes):
                    continue
                found = row(name, probe, mode == "compiled")
                print(f"{key}: {found}", flush=True)
                keep({**read("probes").get("rows", {}), key: found})  # others may run at the same time


def keep(rows: dict[str, Any]) -> None:
    passed = sum(found["passed"] == SEEDS for found in rows.values())
    write("probes", {"rows_in_all": len(rows), "rows_passed": passed, "rows": rows, "machine": machine()})


if __name__ == "__main__":
    main()
