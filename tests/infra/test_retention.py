"""How long data is kept is said in one place, and what is not known there is refused."""

import re
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest

from infra.config import STAGES
from infra.retention import BOUNDS, LOG_DAYS, Retention, build_fact_environment, check_kept, make_retention
from infra.retention import read_retention as read
from pentad.domain.declarations.agents import AgentSpec, Catalog
from pentad.domain.errors import ConfigurationError
from pentad.models.catalog.catalog import ModelCatalog
from pentad.runtime.settings import FactSettings
from tests.unit.models.samples import CATALOG

OWN = make_retention(log_days=7, backup_days=7)


def test_what_a_project_says_stands_and_the_rest_is_the_stages() -> None:
    found = read({"said_days": 90, "log_days": 30, "facts_days": 365}, OWN)
    assert asdict(found) == asdict(OWN) | {"said_days": 90, "log_days": 30, "facts_days": 365}
    assert read({"facts_days": None}, found).facts_days is None


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"run_days": 3}, "no kind of data 'run_days'"),
        ([], "no kind of data"),
        ({"said_days": 0}, "'said_days' is 0"),
        ({"said_days": True}, "'said_days' is True"),
        ({"said_days": "90"}, "'said_days' is '90'"),
        ({"decisions_days": None}, "'decisions_days' is None"),
        ({"reply_days": 31}, "'reply_days' is 31"),
        ({"backup_days": 36}, "'backup_days' is 36"),
        ({"log_days": 31}, "CloudWatch Logs keeps nothing for 31 days"),
    ],
)
def test_what_is_not_known_or_out_of_bounds_is_refused(values: Any, told: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        read(values, OWN)


def test_every_kind_has_bounds_and_every_stage_is_within_them() -> None:
    assert [one.name for one in fields(Retention)] == list(BOUNDS)
    for stage in STAGES.values():
        assert read(asdict(stage.retention), stage.retention) == stage.retention
        assert stage.log_retention is LOG_DAYS[stage.retention.log_days]


def test_what_keeps_longer_than_the_stage_lets_it_is_refused() -> None:
    agent = AgentSpec(name="desk", description="d", prompt="p", session_days=30)
    catalog = Catalog(agents={"desk": agent}, tools={})
    check_kept(OWN, catalog, CATALOG)
    with pytest.raises(ConfigurationError, match=r"keeps for 30 days what cdk\.json keeps for 29 at most"):
        check_kept(read({"session_days": 29}, OWN), catalog, CATALOG)
    longest = max(one.response_cache_seconds or 0 for one in CATALOG.tasks.values())
    assert longest == 86_400
    check_kept(read({"reply_days": 1}, OWN), catalog, CATALOG)
    with pytest.raises(ConfigurationError, match="task 'classify' keeps for 2 days"):
        check_kept(read({"reply_days": 1}, OWN), catalog, keep_longer(CATALOG))


def keep_longer(models: ModelCatalog) -> ModelCatalog:
    task = models.tasks["classify"].model_copy(update={"response_cache_seconds": 86_401})
    return models.model_copy(update={"tasks": {**models.tasks, "classify": task}})


def test_functions_are_told_what_the_stage_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert build_fact_environment(OWN) == {"DECISIONS_DAYS": "90"}
    for name, value in build_fact_environment(read({"facts_days": 365, "decisions_days": 7}, OWN)).items():
        monkeypatch.setenv(name, value)
    for name in ("PENTAD_STAGE", "PENTAD_PREFIX", "AWS_REGION"):
        monkeypatch.setenv(name, "dev")
    told = FactSettings()
    assert (told.facts_days, told.decisions_days) == (365, 7)


def test_the_page_has_every_kind_with_its_days() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "retention.md").read_text(encoding="utf-8")
    rows = {found[1]: found[2] for found in re.finditer(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|", page, re.MULTILINE)}
    assert list(rows) == list(BOUNDS)
    own = asdict(STAGES["dev"].retention)
    for name, told in rows.items():
        stages = list(dict.fromkeys(asdict(stage.retention)[name] for stage in STAGES.values()))
        assert told.strip() == ("for good" if own[name] is None else ", ".join(f"{days:,}" for days in stages)), name
