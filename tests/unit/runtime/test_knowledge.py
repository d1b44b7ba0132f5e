"""The tool runner's calls of search_knowledge."""

from typing import Any

import pytest

from pentad.domain.declarations.agents import Catalog, KnowledgeSpec
from pentad.domain.errors import BudgetExceeded, InvalidInput, PentadError, StoreUnavailable
from pentad.domain.models import CallContext
from pentad.runtime.knowledge import answer_call
from pentad.tools.runtime.handed import HandedCall

CATALOG = Catalog(agents={}, tools={})


class Answering:
    """Returns a value, or raises."""

    def __init__(self, error: PentadError | None = None) -> None:
        self.error = error
        self.contexts: list[CallContext] = []

    def run(self, arguments: Any, knowledge: KnowledgeSpec, context: CallContext, *, deadline: float) -> dict[str, Any]:
        self.contexts.append(context)
        if self.error is not None:
            raise self.error
        return {"passages": [], "asked": arguments["query"]}


def handed() -> HandedCall:
    return HandedCall(
        op="run",
        tenant_id="acme",
        run_id="run_1",
        session_id="s1",
        user_id="ada",
        agent="assistant",
        step=2,
        index=0,
        effect_key="k",
        arguments={"query": "fees"},
        deadline=1e10,
    )


def test_a_call_is_answered_on_behalf_of_whom_the_runner_names() -> None:
    search = Answering()
    answer = answer_call(handed(), search, CATALOG)  # type: ignore[arg-type]
    assert (answer.kind, answer.value) == ("value", {"passages": [], "asked": "fees"})
    [context] = search.contexts
    assert (context.tenant_id, context.user_id, context.run_id, context.step) == ("acme", "ada", "run_1", 2)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidInput("no"), "rejected"),
        (StoreUnavailable("down", retry_after=2), "again"),
        (BudgetExceeded("used up"), "error"),
    ],
)
def test_an_error_is_told_and_not_raised(error: PentadError, kind: str) -> None:
    answer = answer_call(handed(), Answering(error), CATALOG)  # type: ignore[arg-type]
    assert (answer.kind, answer.error_type) == (kind, type(error).__name__)
    assert answer.retry_after == getattr(error, "retry_after", None)
