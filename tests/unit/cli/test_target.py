"""Which deployment a command talks to."""

import json
from pathlib import Path

import pytest

from pentad.cli import target
from pentad.cli.console import EXIT_UNAVAILABLE, EXIT_USAGE, CommandError


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own, and nothing said by the environment."""
    for name in (target.STATE_VARIABLE, "PENTAD_URL", "PENTAD_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(target, "TARGET", target.ApiTarget())
    monkeypatch.setattr(target, "find_project_root", lambda: tmp_path)
    return tmp_path


def start_twin(folder: Path, url: str) -> None:
    folder.mkdir()
    (folder / target.TWIN_FILE).write_text(json.dumps({"api_url": url}), encoding="utf-8")
    target.save_key(folder, f"key of {url}")


def test_the_environment_names_the_folder_of_the_twin_and_its_key(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_twin(project / target.STATE_FOLDER, "http://own")
    start_twin(project / "second", "http://second")
    assert target.create_api_client().url == "http://own"
    monkeypatch.setenv(target.STATE_VARIABLE, str(project / "second"))
    client = target.create_api_client()
    assert client.url == "http://second"
    assert target.read_twin_facts(project / target.STATE_FOLDER)["api_url"] == "http://own"


def test_where_no_twin_runs_the_folder_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(target.STATE_VARIABLE, str(project / "none"))
    with pytest.raises(CommandError, match=r"no twin is running in .*/none; .* its folder in PENTAD_STATE") as refused:
        target.create_api_client()
    assert refused.value.code == EXIT_UNAVAILABLE


@pytest.mark.parametrize("url", ["127.0.0.1:8700", "ftp://x", "http://a b", "http://", "http://x:port", "x"])
def test_what_is_no_address_is_told_with_the_option(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PENTAD_URL", url)
    monkeypatch.setenv("PENTAD_KEY", "k")
    with pytest.raises(CommandError, match="PENTAD_URL") as refused:
        target.create_api_client()
    assert refused.value.code == EXIT_USAGE


@pytest.mark.parametrize("url", ["http://x:1", "http://x:1/", "http://x:1/v1", "http://x:1/v1/"])
def test_the_address_may_be_the_one_that_the_twin_prints(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PENTAD_URL", url)
    monkeypatch.setenv("PENTAD_KEY", " k\n")
    assert target.create_api_client().url == "http://x:1"


def test_a_key_with_characters_that_no_key_has_is_told_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENTAD_URL", "http://x:1")
    monkeypatch.setenv("PENTAD_KEY", "schl\u00fcssel")
    with pytest.raises(CommandError, match="PENTAD_KEY") as refused:
        target.create_api_client()
    assert "schl" not in str(refused.value)
    assert refused.value.code == EXIT_USAGE
