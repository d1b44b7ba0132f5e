"""Choose which links of a chain can take a request: pure, so that routing is tested without a provider."""

from collections.abc import Collection, Sequence

from pentad.domain.errors import ContextOverflow, InvalidInput
from pentad.domain.messages import DocumentBlock, ImageBlock
from pentad.domain.models import ChatRequest
from pentad.models.catalog.catalog import Link, ModelEntry
from pentad.models.gateway.tokens import apply_factor, estimate_request


def required_capabilities(request: ChatRequest) -> frozenset[str]:
    """Return the capabilities a request needs."""
    blocks = [block for message in request.messages for block in message.blocks]
    asked = {
        "tools": bool(request.tools),
        "forced_tools": bool(request.tools) and request.tool_choice == "required",
        "images": any(isinstance(block, ImageBlock) for block in blocks),
        # A document of words can be given as words; only one that has to be read as it is asks for the capability.
        "documents": any(isinstance(b, DocumentBlock) and b.media_type == "application/pdf" for b in blocks),
        "structured_output": request.output_schema is not None,
    }
    return frozenset(name for name, wanted in asked.items() if wanted)


def output_cap(request: ChatRequest, model: ModelEntry, task_cap: int | None) -> int:
    """Return the most tokens a reply may have: the caller's cap or the task's, within what the model writes."""
    return min(request.max_output_tokens or task_cap or model.output_tokens, model.output_tokens)


def has_room(request: ChatRequest, model: ModelEntry, cap: int) -> bool:
    """Tell if the conversation and a reply of ``cap`` tokens fit the model's window, by estimate."""
    return _has_room(model, estimate_request(request), cap)


def _has_room(model: ModelEntry, tokens: int, cap: int) -> bool:
    return apply_factor(tokens, model.token_factor) + cap <= model.context_tokens


def select_candidates(
    request: ChatRequest, links: Sequence[Link], *, providers: Collection[str], task_cap: int | None = None
) -> tuple[Link, ...]:
    """Return the links that can take the request, in the chain's order; never empty.

    Args:
        request: the request.
        links: the chain.
        providers: those that have an adapter.
        task_cap: output tokens of the task.

    Raises:
        InvalidInput: no model of the chain is of the kind, or has the capabilities, that the request needs.
        ContextOverflow: some have, but their windows are too small.
    """
    wanted = required_capabilities(request)
    able = [
        link
        for link in links
        if link.model.kind == "chat"
        and link.model.provider in providers
        and all(getattr(link.model.capabilities, name) for name in wanted)
    ]
    if not able:
        asked = ", ".join(sorted(wanted)) or "chat"
        raise InvalidInput(
            f"no model in the chain supports {asked}", field="task", fix="use another task, tier or model"
        )
    tokens = estimate_request(request)
    fitting = tuple(link for link in able if _has_room(link.model, tokens, output_cap(request, link.model, task_cap)))
    if not fitting:
        raise ContextOverflow(
            "the conversation is too long for every model in the chain", fix="shorten it, or name a larger model"
        )
    return fitting
