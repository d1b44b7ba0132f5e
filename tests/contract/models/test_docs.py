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

DOCS = Path(__file__).parents[3] / "docs"
# The pages of the layer in the order in which they are read: each continues the example of the first.
PAGES = [DOCS / "layers/models.md"] + [
    DOCS / f"models/{name}.md" for name in ("own-models", "failures", "caches", "structured", "tool-schemas", "cost")
]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
OWN = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)[0]


def find_examples(page: Path) -> list[str]:
    """The page's blocks of Python."""
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def test_every_page_about_models_is_looked_at() -> None:
    assert sorted(PAGES[1:]) == sorted((DOCS / "models").glob("*.md"))


def test_the_examples_of_each_page_run_after_those_of_the_first(
    simulator: Simulator,
    control: SimulatorControl,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    own = OWN.replace("http://127.0.0.1:11434", simulator.url).replace("id: qwen3:8b", "id: gpt-4.1-mini")
    (tmp_path / "models.yaml").write_text(own)
    monkeypatch.chdir(tmp_path)
    first: dict[str, Any] = {"__name__": "models_md"}
    opened: list[Any] = []
    for page in PAGES:
        names = first if page == PAGES[0] else dict(first)
        for number, block in enumerate(find_examples(page)):
            code = block.replace("https://api.anthropic.com", simulator.url).replace(
                "https://api.openai.com", simulator.url
            )
            code = code.replace('FixedCredentials("")', 'FixedCredentials("local")')  # the simulator wants a key
            exec(compile(code, f"{page.name}, example {number + 1}", "exec"), names)  # noqa: S102
        opened += [names[name] for name in ("gateway", "mine") if name in names and names[name] not in opened]
    for gateway in opened:
        for adapter in gateway._providers.values():
            adapter.close()
    shown = capsys.readouterr().out
    for expected in ("anthropic claude-sonnet-5-5", "cost 0", "asked fast primary", "state open repaired False"):
        assert expected in shown
    assert "named claude-sonnet-5-5\nnamed gpt-6-luna\n" in shown
    assert "own classify ollama qwen3-8b 0\nown triage ollama qwen3-8b 0\n" in shown


def test_the_mistake_that_the_page_shows_is_the_one_that_is_made() -> None:
    found = re.search(r"`(models\.yaml:\d+: [^`]*)`", TEXT)
    assert found is not None
    with pytest.raises(ConfigurationError) as caught:
        load(overlay=OWN.replace("chain: [qwen3-8b, claude", "chain: [qwen3-8, claude"), strict=True)
    assert caught.value.message == found[1]


@pytest.mark.parametrize("flag", list(Dialect.model_fields))
def test_every_flag_of_a_dialect_is_in_the_table(flag: str) -> None:
    assert f"| {flag} |" in TEXT


def test_every_kind_of_provider_is_in_the_table() -> None:
    assert all(f"| {kind} |" in TEXT for kind in get_args(Kind))


def test_every_task_tier_and_chain_is_in_the_table() -> None:
    catalog = load()
    rows = [line for line in TEXT.splitlines() if line.startswith("| ")]
    for name, task in catalog.tasks.items():
        row = next(row for row in rows if name in row.split("|")[1].replace(",", " ").split())
        assert row.split("|")[2].strip() == task.tier
        assert row.split("|")[3].split("(")[0].strip() == ", ".join(catalog.tiers[task.tier].chain)


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.OK])
def test_every_outcome_is_in_the_table(outcome: Outcome) -> None:
    assert f"| {outcome.value} |" in TEXT


def test_the_example_of_budgets_runs(capsys: pytest.CaptureFixture[str]) -> None:
    [code] = find_examples(DOCS / "models/cost.md")
    exec(compile(code, "cost.md", "exec"), {})  # noqa: S102
    assert "limit_nanousd=5000000000" in capsys.readouterr().out
