"""Checkpoints of a whole training state: written atomically, verified when read.

A checkpoint is a directory `step_000000100352` with two files: `state.safetensors`, the leaves, and `manifest.json`,
which says how they make one state and gives the size and hash of that file, and its own hash. It is written under a
temporary name beside its place, made durable, and renamed as the last act. So a directory of that name was once whole,
and one that was damaged since says so when it is read. Nothing is overwritten in place, and the latest is found by
validation, not by a pointer that could dangle.
"""

import hashlib
import json
import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from frl import check
from frl.tensordict import TensorDict
from frl.training.serialize import dump, restore

FORMAT = 1


class Checkpoint(NamedTuple):
    """A training state, the number of steps that names it, and what its writer said of it."""

    state: TensorDict
    step: int
    metadata: dict[str, Any]


class CorruptCheckpoint(Exception):  # noqa: N818  named for what the file is
    """A file of a checkpoint is not what was written: `file` has `got` where `expected` was due."""

    def __init__(self, file: Path, expected: str, got: str):
        super().__init__(f"checkpoint: {file} is corrupt: expected {expected}, got {got}; load an earlier checkpoint.")
        self.file, self.expected, self.got = file, expected, got


def save(
    directory: str | Path, state: TensorDict, step: int, metadata: Mapping[str, Any] | None = None, keep: int = 3
) -> Path:
    """Writes `state` as a new checkpoint in `directory`, then removes all but the newest `keep` up to this one.

    A crash at any moment leaves the earlier checkpoints, and of the new one all or nothing. One process at a time may
    write to a directory. To save again what is there already changes nothing.

    Args: step: orders the checkpoints, at least 0. metadata: of JSON's types. keep: at least 1.
    Returns: the path of the checkpoint.
    Raises: OSError that names the path if it cannot be written; FileExistsError if a valid checkpoint of this step
        holds another state; ValueError for a negative step or keep < 1; TypeError for metadata not of JSON.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = save(directory, TensorDict({"w": torch.ones(2)}), step=7, metadata={"seed": 0})
    ...     path.name, load(path).state["w"].tolist(), load_latest(directory).metadata
    ('step_000000000007', [1.0, 1.0], {'seed': 0})
    """
    if step < 0 or keep < 1:
        raise ValueError(f"save: step is {step} and keep is {keep}; they must be at least 0 and 1.")
    files = _render(state, step, metadata or {})
    directory = Path(directory)
    path = directory / _name(step)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(directory)
        if not _already(path, files):
            _publish(path, files)
    except FileExistsError:
        raise
    except OSError as error:
        size = sum(len(data) for data in files.values())
        raise OSError(
            error.errno,
            f"checkpoint: {size} bytes could not be written to {path}: {error.strerror}; earlier ones are intact",
        ) from error
    for old in [other for other in _all(directory) if other.name <= path.name][:-keep]:
        _remove(old)
    return path


def load(path: str | Path) -> Checkpoint:
    """The checkpoint at `path`, verified byte for byte.

    Raises: CorruptCheckpoint that names the file if anything differs from what was saved; FileNotFoundError.
    """
    path = Path(path)
    if not path.is_dir():
        raise FileNotFoundError(f"checkpoint: there is no directory {path}; pass one that `save` returned.")
    manifest = _read_manifest(path / _MANIFEST)
    data = _read(path / _STATE, manifest["files"][_STATE])
    try:
        state = restore(data, manifest["tree"])
    except ValueError as error:
        raise CorruptCheckpoint(path / _STATE, "the leaves that the manifest describes", str(error)) from error
    return Checkpoint(state, manifest["step"], manifest["metadata"])


def load_latest(directory: str | Path) -> Checkpoint:
    """The newest valid checkpoint in `directory`; each newer one that is corrupt is skipped with a line on stderr.

    Raises: FileNotFoundError if there is none; CorruptCheckpoint, of the newest, if all are corrupt.
    """
    newest = None
    for path in reversed(_all(Path(directory))):
        try:
            return load(path)
        except CorruptCheckpoint as error:
            print(f"warning: skipping a checkpoint: {error}", file=sys.stderr)
            newest = newest or error
    if newest is not None:
        raise newest
    raise FileNotFoundError(f"checkpoint: {directory} holds no checkpoint; save one first or pass another directory.")


def discard(directory: str | Path, step: int) -> None:
    """Removes the checkpoints of `step` and of later ones from `directory`, the newest first.

    Raises: ValueError for a negative step, TypeError for one that is no integer.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     _ = [save(directory, TensorDict({"w": torch.ones(1)}), step) for step in (1, 2, 3)]
    ...     discard(directory, 2)
    ...     load_latest(directory).step
    1
    """
    if not isinstance(step, int):
        raise TypeError(f"discard: step is {step!r} but must be an integer, the step of a checkpoint.")
    check.at_least("discard", {"step": step}, 0)
    for path in reversed(_all(Path(directory))):
        if path.name >= _name(step):
            _remove(path)


_PREFIX, _TEMPORARY = "step_", ".tmp-"
_STATE, _MANIFEST = "state.safetensors", "manifest.json"


# ---- bytes


def _render(state: TensorDict, step: int, metadata: Mapping[str, Any]) -> dict[str, bytes]:
    """The files by name, in the order in which they are written: the manifest last."""
    data, description = dump(state)
    manifest = {
        "files": {_STATE: _fingerprint(data)},
        "format": FORMAT,
        "metadata": dict(metadata),
        "step": step,
        "torch": str(torch.__version__),
        "tree": description,
    }
    return {_STATE: data, _MANIFEST: _seal(manifest)}


def _seal(manifest: Any) -> bytes:
    """The manifest with its own hash, in the one form that is valid: any change of any byte breaks it."""
    try:
        text = json.dumps(manifest, sort_keys=True)
    except TypeError as error:  # all else in a manifest is of JSON's types
        raise TypeError(
            f"save: metadata must be of JSON's types, numbers, strings, lists and dicts: {error}."
        ) from error
    return f'{{"sha256": "{_sha256(text.encode())}", "manifest": {text}}}\n'.encode()


def _read_manifest(file: Path) -> dict[str, Any]:
    data = _read(file)
    try:
        manifest = json.loads(data)["manifest"]
        sealed = _seal(manifest) == data
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise CorruptCheckpoint(file, "a manifest in JSON", repr(error)) from error
    if not sealed:
        raise CorruptCheckpoint(file, "contents of the hash it states", f"contents of hash {_sha256(data)}")
    if manifest["format"] != FORMAT:
        raise CorruptCheckpoint(file, f"format {FORMAT}", f"format {manifest['format']}, of another version of frl")
    return manifest


def _read(file: Path, fingerprint: Mapping[str, Any] | None = None) -> bytes:
    """The bytes of `file`, which must have the size and hash of the fingerprint."""
    try:
        data = file.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise CorruptCheckpoint(file, "a file", error.strerror or "none") from error
    if fingerprint is not None and _fingerprint(data) != fingerprint:
        raise CorruptCheckpoint(file, str(dict(fingerprint)), str(_fingerprint(data)))
    return data


def _fingerprint(data: bytes) -> dict[str, Any]:
    return {"bytes": len(data), "sha256": _sha256(data)}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# ---- directories


def _name(step: int) -> str:
    return f"{_PREFIX}{step:012d}"


def _publish(path: Path, files: Mapping[str, bytes]) -> None:
    """Makes `path` a directory of these files, at once and durably."""
    temporary = path.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}")
    try:
        os.mkdir(temporary)
        for name, data in files.items():
            _write(temporary / name, data)
        _sync(temporary)
        os.rename(temporary, path)
        _sync(path.parent)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _write(file: Path, data: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _already(path: Path, files: Mapping[str, bytes]) -> bool:
    """Whether `path` holds these very files. What is corrupt there is removed, what is valid never."""
    if not path.exists():
        return False
    try:
        found = load(path)
    except CorruptCheckpoint:
        _remove(path)
        return False
    if (path / _STATE).read_bytes() != files[_STATE]:
        raise FileExistsError(
            f"checkpoint: {path} holds another state of step {found.step}; save to another directory, or remove it."
        )
    return True


def _all(directory: Path) -> list[Path]:
    """The checkpoints in `directory`, valid or not, the oldest first."""
    return sorted(path for path in directory.glob(f"{_PREFIX}*") if path.name[len(_PREFIX) :].isdigit())


def _remove(path: Path) -> None:
    """Removes a checkpoint under a temporary name, so that no half of it is ever found under its own."""
    temporary = path.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}")
    os.rename(path, temporary)
    _sync(path.parent)
    shutil.rmtree(temporary, ignore_errors=True)


def _remove_leftovers(directory: Path) -> None:
    """Removes what processes that were killed while they saved have left."""
    for path in directory.glob(f"{_TEMPORARY}*"):
        shutil.rmtree(path, ignore_errors=True)
