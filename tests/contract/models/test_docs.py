"""The documentation's example runs, and its tables are those of the code."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from pentad.domain.errors import ConfigurationError
from pentad.domain.models import Outcome
from pentad.models.catalog.catalog import load
from pentad.models.catalog.provider_entries import Dialect, Kind
from twin.simulator import Simulator, SimulatorControl

PAGE = (Path(__file__).parents[3] / "docs/layers/models.md").read_text(encoding="utf-8")
OWN = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]


def test_the_examples_run_from_top_to_bottom(
    simulator: Simulator,
    control: SimulatorControl,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    own = OWN.replace("http://127.0.0.1:11434", simulator.url).replace("id: qwen3:8b", "id: gpt-4.1-mini")
    (tmp_path / "models.yaml").write_text(own)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {"__name__": "models_md"}
    for number, block in enumerate(blocks):
        code = block.replace("https://api.anthropic.com", simulator.url).replace(
            "https://api.openai.com", simulator.url
        )
        code = code.replace('FixedCredentials("")', 'FixedCredentials("local")')  # the simulator wants a key
        exec(compile(code, f"models.md, example {number + 1}", "exec"), names)  # noqa: S102
    for adapter in (*names["gateway"]._providers.values(), *names["mine"]._providers.values()):
        adapter.close()
    shown = capsys.readouterr().out
    for expected in ("anthropic claude-sonnet-5-5", "cost 0", "asked fast primary", "state open repaired False"):
        assert expected in shown
    assert "named claude-sonnet-5-5\nnamed gpt-6-luna\n" in shown
    assert "own classify ollama qwen3-8b 0\nown triage ollama qwen3-8b 0\n" in shown


def test_the_mistake_that_the_page_shows_is_the_one_that_is_made() -> None:
    found = re.search(r"`(models\.yaml:\d+: [^`]*)`", PAGE)
    assert found is not None
    with pytest.raises(ConfigurationError) as caught:
        load(overlay=OWN.replace("chain: [qwen3-8b, claude", "chain: [qwen3-8, claude"), strict=True)
    assert caught.value.message == found[1]


@pytest.mark.parametrize("flag", list(Dialect.model_fields))
def test_every_flag_of_a_dialect_is_in_the_table(flag: str) -> None:
    assert f"| {flag} |" in PAGE


def test_every_kind_of_provider_is_in_the_table() -> None:
    assert all(f"| {kind} |" in PAGE for kind in get_args(Kind))


def test_every_task_tier_and_chain_is_in_the_table() -> None:
    catalog = load()
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    for name, task in catalog.tasks.items():
        row = next(row for row in rows if name in row.split("|")[1].replace(",", " ").split())
        assert row.split("|")[2].strip() == task.tier
        assert row.split("|")[3].split("(")[0].strip() == ", ".join(catalog.tiers[task.tier].chain)


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.OK])
def test_every_outcome_is_in_the_table(outcome: Outcome) -> None:
    assert f"| {outcome.value} |" in PAGE


def test_the_example_of_budgets_runs(capsys: pytest.CaptureFixture[str]) -> None:
    [code] = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "MemoryBudgetStore" in block]
    exec(compile(code, "models.md", "exec"), {})  # noqa: S102
    assert "limit_nanousd=5000000000" in capsys.readouterr().out
