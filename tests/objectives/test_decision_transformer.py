import pytest
import torch
from torch.testing import assert_close

from frl import TensorDict, compilation, random, tree
from frl.nn import DecisionTransformer, DecisionTransformerActor
from frl.objectives import DTLoss
from frl.specs import Bounded, Categorical, OneHot, Unbounded

B, T, D, A = 3, 6, 4, 2


def loss_of(spec):
    network = DecisionTransformer(D, A, embed_dim=16, num_layers=2, num_heads=2, max_steps=20)
    return DTLoss(DecisionTransformerActor(network, spec, context=T))


def batch(spec):
    k_obs, k_action, k_return = random.split(random.key(0), 3)
    action = random.normal((B, T, A), k_action)
    action = action if spec.domain == "continuous" else spec.from_index((action[..., 0] > 0).long())
    steps = {"observation": random.normal((B, T, D), k_obs), "return_to_go": random.normal((B, T, 1), k_return)}
    return TensorDict({**steps, "action": action, "time": torch.arange(T).expand(B, T).unsqueeze(-1)}, [B, T])


@pytest.fixture(autouse=True)
def _modules_begin_from_the_global_generator():
    with torch.random.fork_rng():
        yield


@pytest.mark.parametrize("spec", [OneHot(A), Categorical(A)], ids=lambda spec: type(spec).__name__)
def test_the_loss_of_a_choice_is_the_cross_entropy(spec):
    loss, td = loss_of(spec), batch(spec)
    logits = loss.actor.predict(td).flatten(0, 1)
    expected = torch.nn.functional.cross_entropy(logits, spec.to_index(td["action"]).flatten(), reduction="none")
    losses = loss(loss.init(), td)
    assert_close(losses["loss"], expected.mean())
    assert_close(losses["error"].flatten(), expected)


def test_the_loss_of_a_continuous_action_is_the_squared_error():
    loss, td = loss_of(Unbounded(A)), batch(Unbounded(A))
    expected = (loss.actor.predict(td) - td["action"]).square().mean()
    assert_close(loss(loss.init(), td)["loss"], expected)
    bounded = loss_of(Bounded(-2.0, 2.0, A))
    expected = (2 * bounded.actor.predict(td).tanh() - td["action"]).square().mean()
    assert_close(bounded(bounded.init(), td)["loss"], expected)


def test_padding_counts_for_nothing():
    loss, td = loss_of(OneHot(A)), batch(OneHot(A))
    params = loss.init()
    mask = (torch.arange(T) < 4).expand(B, T)
    garbage = tree.map(lambda x, y: torch.cat([x[:, :4], y[:, 4:]], 1), td, tree.map(lambda x: 7 * x, td))
    found = loss(params, garbage.set("mask", mask))
    assert_close(found["loss"], loss(params, td[:, :4])["loss"])
    assert not found["error"][:, 4:].any()
    assert loss(params, td.set("mask", mask & False))["loss"].item() == 0


def test_the_gradient_is_that_of_the_parameters_and_reaches_what_comes_before_the_last_action():
    loss, td = loss_of(OneHot(A)), batch(OneHot(A))
    gradient = torch.func.grad(lambda params: loss(params, td)["loss"])(loss.init())
    assert all(bool(x.isfinite().all()) and bool(x.any()) for x in tree.leaves(gradient["actor", "network"]))


@pytest.mark.usefixtures("traced_graphs")
def test_a_traced_loss_is_the_eager_one():
    loss, td = loss_of(Categorical(A)), batch(Categorical(A)).set("mask", torch.ones(B, T, dtype=torch.bool))
    found = compilation.compile(lambda params, td: loss(params, td))(loss.init(), td)
    expected = loss(loss.init(), td)
    assert_close(found["loss"], expected["loss"])
    assert_close(found["error"], expected["error"])


def test_losses_of_several_parameters_are_vmapped():
    loss, td = loss_of(Categorical(A)), batch(Categorical(A))
    params = loss.init()
    both = tree.map(lambda x: torch.stack([x, 0.5 * x]), params)
    found = torch.vmap(lambda params: loss(params, td)["loss"])(both)
    expected = [loss(tree.map(lambda x: x[i], both), td)["loss"] for i in range(2)]  # noqa: B023
    assert_close(found, torch.stack(expected))
