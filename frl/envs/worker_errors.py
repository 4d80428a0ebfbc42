"""What becomes of the workers of a `ParallelEnv`, as errors."""


class WorkerError(RuntimeError):
    """A worker did not do what it was told; all are closed then.

    Attributes: worker: its number.
    """

    def __init__(self, message: str, worker: int):
        super().__init__(message)
        self.worker = worker

    def __reduce__(self) -> tuple[type, tuple[str, int]]:
        return type(self), (str(self), self.worker)


class WorkerDied(WorkerError):  # noqa: N818
    """A worker's process ended."""


class WorkerRaised(WorkerError):  # noqa: N818
    """An error was raised in a worker; its traceback there is the `__cause__`."""


class WorkerTimeout(WorkerError):  # noqa: N818
    """A worker did not answer in time."""


class RemoteTraceback(Exception):  # noqa: N818 - it is shown as the cause of an error
    """The traceback of another process, as text."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'
