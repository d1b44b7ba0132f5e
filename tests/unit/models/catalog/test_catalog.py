"""The catalog: what ships is sound, and mistakes are named by file and line."""

from pathlib import Path

import pytest

from pentad.domain.errors import ConfigurationError, InvalidInput
from pentad.models.catalog import catalog
from pentad.models.catalog.catalog import load, parse

FOLDER = Path(catalog.__file__).parent
MODELS = (FOLDER / "catalog.yaml").read_text()
ROUTING = (FOLDER / "routing.yaml").read_text()


def test_the_primary_chain_changes_provider_before_it_falls_to_a_small_model() -> None:
    links = load().route(task="reason").links
    assert [link.model.provider for link in links] == ["anthropic", "openai", "anthropic"]
    assert [link.position for link in links] == [0, 1, 2]


@pytest.mark.parametrize("task", ["reason", "classify", "extract", "format", "judge", "summarise", "embed"])
def test_every_task_has_a_chain_of_known_models(task: str) -> None:
    assert load().route(task=task).links


def test_a_named_tier_overrides_the_task_and_keeps_its_cap() -> None:
    route = load().route(task="classify", tier="primary")
    assert (route.tier, route.output_tokens) == ("primary", load().tasks["classify"].output_tokens)


def test_a_named_model_stands_alone() -> None:
    assert [link.model.name for link in load().route(task="reason", model="gpt-6-luna").links] == ["gpt-6-luna"]


@pytest.mark.parametrize(
    "names", [{"task": "dream"}, {"task": "reason", "tier": "x"}, {"task": "reason", "model": "x"}]
)
def test_an_unknown_name_is_the_callers_error(names: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        load().route(**names)
    assert caught.value.fix


def test_prices_are_nano_dollars_per_million() -> None:
    assert load().models["claude-sonnet-5-5"].prices.cache_read == 100_000_000


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('      input: "2"\n', "      input: 2.0\n", "a float is not exact"),
        ('      input: "2"\n', '      input: "two"\n', "not an amount"),
        ('      input: "2"\n', '      input: "-2"\n', "not negative"),
        ('      input: "2"\n', '      input: "0.0000000001"\n', "finer than a nano-dollar"),
        ("    provider: anthropic\n", "    supplier: anthropic\n", "Extra inputs"),
        ("    provider: anthropic\n", "    provider: antropic\n", "no provider 'antropic'"),
        ("      date: 2026-11-22\n", "      date: yesterday\n", "valid date"),
        ('        input: "1"\n', '        input: "free"\n', "not an amount"),
        ("  bedrock: {kind: bedrock}\n", "  bedrock: {kind: bedrok}\n", "Input should be"),
        ("  openai: {kind: openai, secret: openai}\n", "  openai: {kind: openai}\n", "needs a secret"),
        ("      effort: true\n", "      efort: true\n", "Extra inputs"),
    ],
)
def test_a_mistake_in_a_model_names_its_line(old: str, new: str, says: str) -> None:
    broken = MODELS.replace(old, new, 1)
    line = broken[: broken.index(new)].count("\n") + 1
    with pytest.raises(ConfigurationError, match=says) as caught:
        parse(broken, ROUTING)
    assert caught.value.message.startswith(f"catalog.yaml:{line}:")
    assert caught.value.fix


OWN = """
providers:
  den:
    kind: openai_compatible
    base_url: http://gpu.internal:8000/v1
models:
  qwen:
    label: Qwen
    provider: den
    kind: chat
    context_tokens: 32768
    output_tokens: 4096
    capabilities: {tools: true}
    prices: {source: our own machine, date: 2026-11-22, input: "0", output: "0"}
tiers:
  fast: {chain: [qwen, claude-haiku-5-5]}
"""


def test_a_projects_own_file_adds_entries_and_stands_in_for_others() -> None:
    own = parse(MODELS, ROUTING, OWN)
    assert [link.model.name for link in own.route(task="classify").links] == ["qwen", "claude-haiku-5-5"]
    assert own.tasks["classify"] == load().tasks["classify"]
    assert [provider.name for provider in own.used_providers] == ["anthropic", "openai", "den"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("    provider: den\n", "    provider: dan\n", "no provider 'dan'"),
        ("    base_url: http://gpu.internal:8000/v1\n", "    base_url: gpu.internal\n", "pattern"),
        ("  fast: {chain: [qwen,", "  fast: {chain: [kwen,", "no model 'kwen'"),
        ("    kind: chat\n", "    kind: chat\n    kind: embedding\n", "is defined twice"),
        ("providers:\n", "providers:\n  Den: {kind: bedrock}\n", "pattern"),
        ("providers:\n", "providers:\n  cloud: {kind: bedrock, secret: cloud}\n", "no secret"),
        ("providers:\n", "providers:\n  a: {kind: anthropic, secret: a, dialect: {effort: true}}\n", "dialect"),
        ("providers:\n", "budgets: {}\nproviders:\n", "not known"),
    ],
)
def test_a_mistake_in_a_projects_own_file_names_its_line(old: str, new: str, says: str) -> None:
    broken = OWN.replace(old, new, 1)
    first = broken[: broken.index(new)].count("\n") + 1
    with pytest.raises(ConfigurationError, match=says) as caught:
        parse(MODELS, ROUTING, broken, strict=True)
    lines = range(first, first + new.count("\n") + 1)
    assert any(caught.value.message.startswith(f"models.yaml:{line}:") for line in lines)


def test_an_empty_file_of_ones_own_changes_nothing() -> None:
    assert parse(MODELS, ROUTING, "# nothing yet\n") == load()


def test_what_ships_holds_no_key_twice() -> None:
    assert parse(MODELS, ROUTING, strict=True) == load()


@pytest.mark.parametrize("model", load().models.values(), ids=lambda model: model.name)
def test_every_price_has_a_source_and_a_date(model: catalog.ModelEntry) -> None:
    assert model.prices.source.startswith("https://")
    assert model.prices.date.year >= 2026
    assert not model.capabilities.thinking or model.prices.thinking is not None


def test_a_model_without_prices_is_an_error() -> None:
    start = MODELS.index("    prices:")
    end = MODELS.index("\n\n", start)
    with pytest.raises(ConfigurationError, match=r"catalog\.yaml:\d+: models\.claude-sonnet-5-5\.prices"):
        parse(MODELS[:start] + MODELS[end:], ROUTING)


def test_a_chat_model_without_an_output_price_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="output price"):
        parse(MODELS.replace('      output: "10"\n', "", 1), ROUTING)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("gpt-6.1-sol, claude-haiku-5-5]", "gpt-0, claude-haiku-5-5]", "no model 'gpt-0'"),
        ("chain: [text-embedding-3-small]", "chain: [gpt-6-luna]", "is not of kind 'embedding'"),
        ("reason: {tier: primary", "reason: {tier: secondary", "no tier 'secondary'"),
        ("  primary:\n", "  premium:\n", "no such tier"),
    ],
)
def test_a_mistake_in_the_routing_names_its_line(old: str, new: str, says: str) -> None:
    broken = ROUTING.replace(old, new, 1)
    line = broken[: broken.index(new)].count("\n") + 1
    with pytest.raises(ConfigurationError, match=says) as caught:
        parse(MODELS, broken)
    assert caught.value.message.startswith(f"routing.yaml:{line}:")


def test_broken_yaml_names_its_line() -> None:
    with pytest.raises(ConfigurationError, match=r"routing\.yaml:\d+:"):
        parse(MODELS, ROUTING + "\n  tiers: [\n")


def test_an_unknown_section_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="not known"):
        parse(MODELS, ROUTING + "\nagents: {}\n")
