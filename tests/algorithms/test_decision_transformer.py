"""The Decision Transformer by what it makes of data whose best actions are known."""

import torch

from frl import TensorDict, random
from frl.algorithms import DTConfig, decision_transformer
from frl.nn import DecisionTransformer, DecisionTransformerActor
from frl.specs import Categorical


def small(config=None, **sizes):
    with torch.random.fork_rng():
        network = DecisionTransformer(1, 2, embed_dim=16, num_layers=1, max_steps=4, **sizes)
    actor = DecisionTransformerActor(network, Categorical(2), context=4)
    return decision_transformer(actor) if config is None else decision_transformer(actor, config)


def windows():
    """The action 1 earns 1 at once, the action 0 nothing."""
    k_action, k_obs = random.split(random.key(1))
    action = random.randint(0, 2, (64, 4), k_action)
    steps = {"observation": random.normal((64, 4, 1), k_obs), "return_to_go": action.float().unsqueeze(-1)}
    time = torch.arange(4).expand(64, 4).unsqueeze(-1)
    return TensorDict({**steps, "action": action, "time": time}, [64, 4])


def test_it_learns_which_return_an_action_leads_to():
    algorithm, batch = small(DTConfig(learning_rate=2e-2, warmup_updates=0, max_grad_norm=10.0)), windows()
    train = algorithm.init(random.key(0))
    for _ in range(25):
        train, _ = algorithm.update(train, batch, random.key(0))
    now = {"observation": torch.zeros(2, 1), "return_to_go": torch.tensor([[0.0], [1.0]])}
    now = TensorDict({**now, "is_init": torch.ones(2, 1, dtype=torch.bool)}, [2])
    assert algorithm.act(train, now, explore=False)["action"].tolist() == [0, 1]


def test_the_learning_rate_rises_to_all_of_it():
    algorithm, batch = small(DTConfig(learning_rate=1.0, warmup_updates=4)), windows()
    train, rates = algorithm.init(random.key(0)), []
    for _ in range(6):
        train, metrics = algorithm.update(train, batch, random.key(0))
        rates.append(metrics["learning_rate"].item())
    assert rates == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_parameters_follow_from_the_key_alone():
    weights = [small().init(random.key(i))["params", "actor", "network", "head", "weight"] for i in (0, 0, 1)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
