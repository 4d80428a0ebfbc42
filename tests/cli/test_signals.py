import os
import signal

import pytest
import torch

from frl import TensorDict
from frl.cli.signals import interruptible

STATE = TensorDict({"step": torch.tensor(1)})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_to_stop_and_the_second_would_end_the_process(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
):
    before = signal.getsignal(number)
    with interruptible() as interrupt:
        assert not interrupt(1, STATE, STATE)
        os.kill(os.getpid(), number)
        assert interrupt(2, STATE, STATE)
        assert interrupt.number == number
        assert signal.getsignal(signal.SIGINT) == signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert signal.getsignal(number) == before
    assert capsys.readouterr().err == "stopping after this update; once more to stop at once\n"
