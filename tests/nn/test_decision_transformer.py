import pytest
import torch
from torch.testing import assert_close

from frl import TensorDict, random, tree
from frl.nn import DecisionTransformer, DecisionTransformerActor
from frl.specs import Bounded, Categorical, OneHot, Unbounded

B, T, D, A = 3, 6, 4, 2
KEYS = random.split(random.key(0), 8)


def network(**options):
    return DecisionTransformer(D, A, embed_dim=16, num_layers=2, num_heads=2, max_steps=20, **options)


def sequence(seed=0):
    k = random.split(random.key(seed), 3)
    time = torch.arange(T).expand(B, T)
    return random.normal((B, T, D), k[0]), random.normal((B, T, A), k[1]), random.normal((B, T, 1), k[2]), time


@pytest.mark.parametrize("t", range(T))
def test_predictions_up_to_t_are_bitwise_unchanged_by_the_action_at_t_and_all_after(t):
    net, (obs, action, to_go, time), (obs2, action2, to_go2, _) = network(), sequence(0), sequence(1)
    n = t + 1
    changed = net(
        torch.cat([obs[:, :n], obs2[:, n:]], 1),
        torch.cat([action[:, :t], action2[:, t:]], 1),
        torch.cat([to_go[:, :n], to_go2[:, n:]], 1),
        time,
    )
    assert torch.equal(net(obs, action, to_go, time)[:, :n], changed[:, :n])


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_prediction_depends_on_observations_actions_and_returns(which):
    net, inputs = network(), list(sequence())
    before = net(*inputs)
    inputs[which] = torch.cat([-inputs[which][:, :1], inputs[which][:, 1:]], 1)
    assert not torch.equal(net(*inputs)[:, -1], before[:, -1])


def test_returns_are_divided_by_their_scale():
    net = network()
    obs, action, to_go, time = sequence()
    scaled = network(return_scale=100.0)
    scaled.load_state_dict(net.state_dict())
    assert_close(scaled(obs, action, 100 * to_go, time), net(obs, action, to_go, time))


def test_later_steps_share_the_last_number():
    net, (obs, action, to_go, time) = network(), sequence()
    assert not torch.equal(net(obs, action, to_go, time + 17), net(obs, action, to_go, time + 50))
    assert torch.equal(net(obs, action, to_go, time + 50), net(obs, action, to_go, time + 70))


def actor(spec=None, context=4):
    return DecisionTransformerActor(network(), OneHot(A) if spec is None else spec, context)


def episode(module, num_steps=6):
    """What the actor writes in the steps of an episode whose context it carries."""
    carried, steps = {}, []
    for t in range(num_steps):
        now = {
            "observation": random.normal((B, D), random.fold_in(KEYS[0], t)),
            "return_to_go": torch.full((B, 1), 10.0 - t),
            "is_init": torch.full((B, 1), t == 0),
        }
        td = module(TensorDict({**now, **carried}, [B]))
        carried = {"context": td["next", "context"]}
        steps.append(td.exclude("context"))
    return tree.stack(steps, 1)


@pytest.mark.parametrize(
    "spec", [OneHot(A), Categorical(A), Bounded(-2.0, 1.0, A), Unbounded(A)], ids=lambda spec: type(spec).__name__
)
def test_an_action_is_what_the_network_predicts_from_the_last_steps(spec):
    module = actor(spec)
    td = episode(module)
    assert spec.contains(td["action"])
    for t in range(6):
        window = slice(max(0, t - 3), t + 1)
        action = module.encode(td["action"][:, window])
        times = torch.arange(6)[window].expand(B, -1)
        prediction = module.network(td["observation"][:, window], action, td["return_to_go"][:, window], times)
        assert_close(module.decode(prediction[:, -1]), td["action"][:, t])


def test_the_context_holds_the_last_steps_and_a_new_episode_empties_it():
    module = actor()
    td = episode(module)
    context = td[:, -1]["next", "context"]
    assert torch.equal(context["observation"], td["observation"][:, 2:])
    assert torch.equal(context["action"], td["action"][:, 2:].float())
    assert context["time"].tolist() == [[2, 3, 4, 5]] * B
    assert bool(context["mask"].all())
    again = TensorDict({"observation": torch.ones(B, D), "return_to_go": torch.ones(B, 1)}, [B])
    begun = again.set("is_init", torch.tensor([[True], [False], [True]])).set("context", context)
    after = module(begun)["next", "context"]
    assert after["mask"].sum(-1).tolist() == [1, 4, 1]
    assert after["time"][:, -1].tolist() == [0, 6, 0]
    fresh = module(again.set("is_init", torch.ones(B, 1, dtype=torch.bool)))
    assert_close(module(begun)["action"][0], fresh["action"][0])


def test_the_state_spec_is_of_what_is_written_under_next():
    module = actor()
    assert module.recurrent_state_spec.expand(B).contains(episode(module)[:, 0]["next"])
    td = TensorDict({"observation": torch.ones(B, D), "return_to_go": torch.ones(B, 1)}, [B])
    td = td.set("is_init", torch.zeros(B, 1, dtype=torch.bool))
    assert torch.equal(module(td)["action"], module(td.update(module.recurrent_state_spec.zeros(B)))["action"])


def test_a_batch_is_predicted_as_the_network_does_and_padding_is_not_looked_at():
    module, (obs, action, to_go, time) = actor(Unbounded(A)), sequence()
    td = TensorDict({"observation": obs, "action": action, "return_to_go": to_go, "time": time.unsqueeze(-1)}, [B, T])
    assert torch.equal(module.predict(td), module.network(obs, action, to_go, time))
    padded = td.set("mask", (torch.arange(T) >= 2).expand(B, T))
    garbage = tree.map(lambda x, y: torch.cat([x[:, :2], y[:, 2:]], 1), tree.map(lambda x: 7 * x, td), td)
    expected = module.predict(td[:, 2:])
    assert_close(module.predict(padded)[:, 2:], expected)
    assert_close(module.predict(garbage.set("mask", padded["mask"]))[:, 2:], expected)


@pytest.mark.parametrize("spec", [OneHot(A), Categorical(A), Unbounded(A)], ids=lambda spec: type(spec).__name__)
def test_an_action_that_is_encoded_and_decoded_is_the_same(spec):
    action = spec.sample(random.split(KEYS[2], B))
    assert torch.equal(actor(spec).decode(actor(spec).encode(action)), action)
