import pickle

import pytest

from frl.envs import WorkerDied, WorkerError, WorkerRaised, WorkerTimeout
from frl.envs.worker_errors import RemoteTraceback


@pytest.mark.parametrize("kind", [WorkerDied, WorkerError, WorkerRaised, WorkerTimeout])
def test_they_are_one_family_that_names_the_worker(kind):
    error = kind("worker 3 …", 3)
    assert isinstance(error, WorkerError)
    assert isinstance(error, RuntimeError)
    again = pickle.loads(pickle.dumps(error))  # as concurrent.futures would hand it on
    assert (type(again), str(again), again.worker) == (kind, "worker 3 …", 3)


def test_a_traceback_is_shown_as_it_was():
    assert "line 3, in step" in str(RemoteTraceback("line 3, in step"))
