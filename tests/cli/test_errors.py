import pytest

from frl.cli.errors import UsageError, usage_errors


def test_the_kinds_named_become_one_line():
    with pytest.raises(UsageError, match=r"^first second$"), usage_errors(ValueError):
        raise ValueError("first\n   second")


def test_a_key_error_is_told_without_quotes():
    with pytest.raises(UsageError, match=r"^no entry$"), usage_errors(KeyError):
        raise KeyError("no entry")


def test_other_errors_stay_what_they_are():
    with pytest.raises(TypeError), usage_errors(ValueError):
        raise TypeError
