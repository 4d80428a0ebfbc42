import io

import torch

from frl import TensorDict
from frl.training.progress import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def report(show, steps: int, mean_return: float) -> None:
    show(1, TensorDict({"step": torch.tensor(steps)}), TensorDict({"episode_return": torch.tensor(mean_return)}))


def test_a_terminal_shows_a_bar_with_steps_rate_return_and_time_left():
    file = Terminal()
    with progress(1000, file=file) as show:
        report(show, 250, 12.5)
    last = file.getvalue().split("\r")[-1]
    assert "250/1.00k" in last
    assert "return 12.5" in last
    assert "steps/s" in last
    assert "<" in last  # elapsed < left


def test_elsewhere_ten_lines_are_printed_in_all():
    file = io.StringIO()
    with progress(1000, file=file) as show:
        for steps in range(10, 1001, 10):
            report(show, steps, 0.0)
    lines = file.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0].startswith("100 of 1,000 steps · ")
    assert lines[-1].endswith("return 0.00 · 0 s left")


def test_a_population_counts_the_steps_of_all_members():
    file = io.StringIO()
    with progress(100, file=file) as show:
        show(1, TensorDict({"step": torch.tensor([20, 20])}), TensorDict({"episode_return": torch.tensor([1.0, 2.0])}))
    assert file.getvalue().startswith("40 of 100 steps")
    assert "return 1.50, best 2.00" in file.getvalue()


def test_a_resumed_training_begins_where_it_was():
    file = io.StringIO()
    with progress(100, done=90, file=file) as show:
        report(show, 95, 0.0)
        report(show, 100, 0.0)
    assert file.getvalue().count("\n") == 1
