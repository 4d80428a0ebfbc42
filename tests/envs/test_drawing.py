import math

import gymnasium
import pytest
import torch

from frl import random, tree
from frl.envs import FunctionalEnv, ids, make
from frl.envs.drawing import BLACK, WHITE, Canvas, canvas, cell, everywhere
from frl.envs.probes import Probe
from tests.envs.worlds import GYMNASIUM, varied
from tests.purity import Purity
from tests.traced import traced

KEY = random.key(0)
SMALL = (40, 60)
RED = (255, 0, 0)


def covered(picture: Canvas) -> torch.Tensor:
    """How much of each pixel is black, [*B, H, W]."""
    return 1 - picture.pixels()[..., 0] / 255


# ---- shapes

SHAPES = {
    "a disc": (lambda c: c.disc((30, 20), 10, BLACK), math.pi * 100),
    "a segment": (lambda c: c.segment((15, 10), (39, 28), 6, BLACK), 30 * 6 + math.pi * 9),
    "a segment of one point": (lambda c: c.segment((30, 20), (30, 20), 10, BLACK), math.pi * 25),
    "a rectangle": (lambda c: c.rectangle((10, 20), (40, 20), 8, BLACK), 240),
    "a tilted rectangle": (lambda c: c.rectangle((15, 10), (39, 28), 8, BLACK), 240),
    "a triangle": (lambda c: c.polygon([(10, 5), (50, 5), (10, 35)], BLACK), 600),
    "a triangle, clockwise": (lambda c: c.polygon([(10, 35), (50, 5), (10, 5)], BLACK), 600),
    "a square by its corners": (lambda c: c.polygon([(30, 6), (44, 20), (30, 34), (16, 20)], BLACK), 392),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_covers_its_area_at_any_resolution(name):
    draw, area = SHAPES[name]
    for factor in (1, 2, 4):
        picture = covered(draw(canvas((60, 40), (40 * factor, 60 * factor))))
        assert picture.sum() / factor**2 == pytest.approx(area, rel=0.02)


def test_x_grows_to_the_right_and_y_upwards():
    rows, columns = torch.where(covered(canvas((60, 40)).disc((50, 35), 3, BLACK)) > 0.9)
    assert columns.min() > 45
    assert rows.max() < 10


def test_a_line_of_width_one_on_an_integer_is_one_row_of_pixels():
    picture = covered(canvas((6, 4)).segment((-9, 1), (9, 1), 1, BLACK))
    assert picture.tolist() == [[0.0] * 6, [0.0] * 6, [1.0] * 6, [0.0] * 6]


def test_an_edge_through_the_middle_of_a_pixel_covers_half_of_it():
    assert covered(canvas((4, 1)).rectangle((-9, 0), (2, 0), 9, BLACK)).tolist() == [
        [1.0, 1.0, pytest.approx(0.5, abs=0.01), 0.0]
    ]


def test_a_grid_has_lines_around_its_cells_and_on_the_edges_of_the_frame():
    picture = covered(canvas((8, 4), (8, 16)).grid(4, 1, BLACK))
    assert picture[:, 2:6].sum(0).tolist() == [2.0] * 4  # half of the line below the frame, and of that above it
    assert picture[3].tolist() == [1.0, *[0.0] * 6, 1.0, 1.0, *[0.0] * 6, 1.0]


def test_the_rows_of_cells_are_counted_downwards():
    picture = canvas((60, 40), (2, 3)).disc(cell(0, 2, rows=2, side=20), 10, BLACK)
    assert covered(picture).tolist() == [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]


def test_what_is_painted_later_hides_what_is_below():
    picture = canvas((60, 40)).disc((30, 20), 12, BLACK).disc((30, 20), 6, RED).pixels()
    assert picture[20, 30].tolist() == [255, 0, 0]
    assert picture[20, 39].tolist() == [0, 0, 0]
    assert picture[20, 50].tolist() == list(WHITE)


def test_a_batch_of_shapes_is_each_of_them_alone():
    x, radius = torch.tensor([10.0, 30.0]), torch.tensor([5.0, 8.0])

    def draw(x, radius):
        picture = canvas((60, 40)).disc((x, 20), radius, BLACK).segment((x, 5), (x + 9, 9), radius, RED)
        return (
            picture.rectangle((5, x), (20, 7), radius, BLACK).polygon([(x, 3), (x, 9), (x + radius, 5)], RED).pixels()
        )

    both = draw(x, radius)
    assert both.shape == (2, 40, 60, 3)
    for i in range(2):
        assert torch.equal(both[i], draw(x[i], radius[i]))
    assert torch.equal(torch.vmap(draw)(x, radius), both)


def test_a_canvas_is_white_and_painting_leaves_it_so():
    empty = canvas((6, 4))
    empty.disc((3, 2), 2, BLACK)
    assert (empty.pixels() == 255).all()


def test_a_number_for_each_picture_is_one_for_all_its_pixels():
    assert everywhere(torch.tensor([1.0, 2.0]), torch.zeros(1)).shape == (2, 1, 1)


# ---- the worlds


@pytest.mark.parametrize("id", ids())
def test_a_world_draws_every_state_at_any_size(id):
    env = make(id, [2])
    td = env.reset(KEY)
    assert env.draw(td, SMALL).shape == (2, *SMALL, 3)
    assert env.draw(td).dtype == torch.uint8
    assert make(id).draw(td[0], SMALL).shape == (*SMALL, 3)
    if id in GYMNASIUM:
        assert env.draw(td).shape[1:3] == make_gymnasium(id).render().shape[:2]


@pytest.mark.parametrize("id", ids())
def test_a_trajectory_is_drawn_state_by_state(id):
    env = make(id, [2])
    td = env.rollout(3, key=KEY, break_when_any_done=False)
    pictures = env.draw(td, SMALL)
    assert pictures.shape == (2, 3, *SMALL, 3)
    for t in range(3):
        assert torch.equal(pictures[:, t], env.draw(td[:, t], SMALL))
    assert not torch.equal(pictures[:, 0], pictures[:, 2])


@pytest.mark.parametrize("id", ids())
def test_vmapped_and_traced_it_draws_the_same(id):
    env = make(id, [2])
    states = make(id, [2, 2, 3]).reset(KEY).select("state")

    def pictures(states):
        return env.draw(states, SMALL)

    alone = torch.stack([pictures(states[0]), pictures(states[1])])
    assert nearly_equal(torch.vmap(pictures)(states), alone)
    assert nearly_equal(traced(pictures)(states[1]), alone[1])


def nearly_equal(x, y):
    """The same picture but for the rounding to 256 shades."""
    return x.shape == y.shape and bool(((x.int() - y.int()).abs() <= 1).all())


@pytest.mark.parametrize("id", ids())
def test_drawing_writes_into_no_input(id):
    env = make(id, [2])
    td = env.reset(KEY)
    with Purity(td):
        env.draw(td, SMALL)


@pytest.mark.parametrize("id", ids())
def test_physics_of_one_tensor_for_each_row_are_drawn_row_by_row(id):
    env = make(id, [3])
    params = varied(env.params)
    td = env.rollout(4, key=KEY, break_when_any_done=False)
    pictures = env.with_params(params).draw(td, SMALL)
    for i in range(3):
        alone = make(id).with_params(tree.map(lambda x: x[i], params))  # noqa: B023
        assert nearly_equal(pictures[i], alone.draw(td[i], SMALL))


def make_gymnasium(id):
    env = gymnasium.make(id, render_mode="rgb_array").unwrapped
    env.reset(seed=0)
    return env


@pytest.fixture(autouse=True)
def _no_screen(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


@pytest.mark.parametrize("id", GYMNASIUM)
def test_the_picture_is_gymnasiums_but_for_its_edges(id):
    """Of blocks of 10 × 10 pixels no mean differs by what a missing shape, or one at another place, would change."""
    env, theirs = make(id), make_gymnasium(id)
    td = env.rollout(20, key=KEY, break_when_any_done=False)[::5]
    for state, picture in zip(td["state"], env.draw(td), strict=True):
        theirs.state = state.double().numpy()
        difference = coarse(picture) - coarse(torch.tensor(theirs.render()))
        assert difference.abs().max() < 60


def coarse(picture):
    return torch.nn.functional.avg_pool2d(picture.movedim(-1, 0).float(), 10)


def test_a_world_that_draws_nothing_says_what_to_write():
    env = FunctionalEnv(Probe())
    with pytest.raises(NotImplementedError, match=r"Probe has no method draw; write draw\(state, params, size\)"):
        env.draw(env.reset(KEY))


@pytest.mark.parametrize(
    ("picture", "found"),
    [
        (lambda state: canvas((4, 3)).pixels(), r"torch.uint8 \[3, 4, 3\]"),
        (lambda state: canvas((4, 3)).disc((state[..., 0], 0), 1, BLACK).colors, r"torch.float32 \[2, 3, 3, 4\]"),
    ],
)
def test_an_author_who_draws_something_else_is_told(picture, found):
    author = type("Broken", (Probe,), {"draw": lambda self, state, params, size: picture(state)})()
    env = FunctionalEnv(author, [2])
    with pytest.raises(
        ValueError, match=rf"Broken.draw returned {found} but must return torch.uint8 \[2, 'H', 'W', 3\]"
    ):
        env.draw(env.reset(KEY))
