import torch

from frl.envs.bsuite.chain import chain, place
from frl.envs.drawing import BLACK


def test_a_chain_shows_where_one_stands():
    picture = chain(torch.tensor([0, 5, 10]), 10, None).pixels()
    for row, x in enumerate((10, 110, 210)):
        assert picture[row, 64, x].tolist() == [204, 51, 51]
    assert (picture[:, :50] == 255).all()


def test_the_end_is_as_far_as_one_gets():
    assert torch.equal(chain(torch.tensor(4), 4, None).pixels(), chain(torch.tensor(9), 4, None).pixels())


def test_a_length_for_each_row_is_a_line_of_the_same_length():
    assert place(torch.tensor([2, 2]), torch.tensor([2.0, 4.0])).tolist() == [210.0, 110.0]
    assert chain(torch.tensor([0, 1]), torch.tensor([2.0, 4.0]), (20, 55)).disc((0, 0), 1, BLACK).pixels().shape[0] == 2
