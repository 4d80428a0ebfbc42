import json
from pathlib import Path

import pytest

from frl.cli.errors import UsageError
from frl.cli.run_directory import CONFIG, create, read_config, write_json


def test_a_new_directory_is_named_by_run_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    path = create(None, "ppo_gym:CartPole-v1_0")
    assert path.is_dir()
    assert path.parent == Path("runs")
    assert path.name.startswith("ppo_gym-CartPole-v1_0_2")


def test_a_directory_without_a_run_may_be_used(tmp_path: Path):
    assert create(tmp_path, "name") == tmp_path


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"--out: .*file/run cannot be made"):
        create(tmp_path / "file" / "run", "name")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"options": 3}', "{"])
def test_what_is_no_configuration_is_refused(tmp_path: Path, content: str):
    (tmp_path / CONFIG).write_text(content)
    with pytest.raises(UsageError, match=f"{tmp_path} is no run directory: config.json"):
        read_config(tmp_path)


def test_json_is_replaced_at_once(tmp_path: Path):
    file = tmp_path / CONFIG
    write_json(file, {"algorithm": "ppo", "options": {"seed": 1}})
    write_json(file, {"algorithm": "ppo", "options": {"seed": 2}})
    assert read_config(tmp_path) == json.loads(file.read_text()) == {"algorithm": "ppo", "options": {"seed": 2}}
    assert [path.name for path in tmp_path.iterdir()] == [CONFIG]
