"""What a function's telemetry reads of the deployment."""

import json
import sys
from pathlib import Path

import pytest

from pentad.runtime.catalog import PACKAGE
from pentad.runtime.wiring.ground import telemetry
from pentad.runtime.wiring.ground.telemetry import load_told_apart


def test_the_names_that_metrics_tell_apart_are_read_from_the_catalogs_layer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "catalog_of_this_test"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert load_told_apart(package.name) == {}, "a deployment with few names has no such file"
    load_told_apart.cache_clear()
    (package / "metrics.json").write_text(json.dumps({"tool": ["notes"]}), encoding="utf-8")
    assert load_told_apart(package.name) == {"tool": ["notes"]}
    load_told_apart.cache_clear()


def test_a_process_without_a_catalog_tells_all_apart() -> None:
    assert load_told_apart("no_such_catalog") == {}
    assert vars(telemetry)["_PACKAGE"] == PACKAGE
