"""Only links that can take the request are candidates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.domain.errors import ContextOverflow, InvalidInput
from pentad.domain.messages import DocumentBlock, ImageBlock
from pentad.models.catalog.catalog import Capabilities, Link, ModelEntry
from pentad.models.gateway.candidates import output_cap, required_capabilities, select_candidates
from pentad.models.gateway.tokens import estimate_request
from tests.unit.models.samples import ADD, CATALOG, HAIKU, SCHEMA, SONNET, request, user

LINKS = CATALOG.route(task="reason").links
BOTH = {"anthropic", "openai"}


def names(links: tuple[Link, ...]) -> list[str]:
    return [link.model.name for link in links]


def test_all_links_take_a_plain_request() -> None:
    assert select_candidates(request(), LINKS, providers=BOTH) == LINKS


def test_links_of_a_provider_without_an_adapter_are_passed_over() -> None:
    assert names(select_candidates(request(), LINKS, providers={"openai"})) == ["gpt-6.1-sol"]


def test_a_model_that_cant_be_forced_to_use_a_tool_is_passed_over() -> None:
    asked = request(tools=(ADD,), tool_choice="required")
    assert names(select_candidates(asked, LINKS, providers=BOTH)) == ["gpt-6.1-sol", "claude-haiku-5-5"]


def test_needs_name_what_the_request_holds() -> None:
    blocks = (ImageBlock(media_type="image/png", data="x"), DocumentBlock(media_type="application/pdf", data="x"))
    asked = request(user(*blocks), tools=(ADD,), output_schema=SCHEMA)
    assert required_capabilities(asked) == {"tools", "images", "documents", "structured_output"}


def test_a_document_of_words_asks_for_nothing() -> None:
    assert required_capabilities(request(user(DocumentBlock(media_type="text/plain", data="x")))) == frozenset()


def test_no_capable_model_is_the_callers_error() -> None:
    with pytest.raises(InvalidInput, match="structured_output"):
        select_candidates(request(output_schema=SCHEMA), [Link(position=0, model=_plain(1000))], providers=BOTH)


def test_a_conversation_no_window_holds_is_an_overflow() -> None:
    with pytest.raises(ContextOverflow):
        select_candidates(request(user("word " * 1_000)), [Link(position=0, model=_plain(1000))], providers=BOTH)


def test_the_callers_cap_wins_over_the_tasks_within_the_models() -> None:
    assert output_cap(request(max_output_tokens=5), SONNET, 100) == 5
    assert output_cap(request(), SONNET, 100) == 100
    assert output_cap(request(max_output_tokens=10**9), SONNET, 100) == SONNET.output_tokens
    assert output_cap(request(), SONNET, None) == SONNET.output_tokens


def _plain(window: int, **capabilities: bool) -> ModelEntry:
    update = {"context_tokens": window, "output_tokens": 100, "capabilities": Capabilities(**capabilities)}
    return HAIKU.model_copy(update=update)


@given(
    st.integers(min_value=0, max_value=3_000),
    st.booleans(),
    st.lists(st.tuples(st.integers(min_value=1, max_value=2_000), st.booleans()), min_size=1, max_size=4),
)
def test_routing_never_returns_a_model_that_cant_take_the_request(
    length: int, tools: bool, models: list[tuple[int, bool]]
) -> None:
    asked = request(user("x" * length + "?"), tools=(ADD,) if tools else ())
    links = [Link(position=index, model=_plain(*spec[:1], tools=spec[1])) for index, spec in enumerate(models)]
    try:
        chosen = select_candidates(asked, links, providers=BOTH)
    except (ContextOverflow, InvalidInput):
        return
    for link in chosen:
        assert link.model.capabilities.tools or not tools
        assert estimate_request(asked, factor=link.model.token_factor) + 100 <= link.model.context_tokens
