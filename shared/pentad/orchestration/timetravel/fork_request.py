"""The request of a fork, and what it makes of the results and overrides of the run."""

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, StringConstraints

from pentad.domain.errors import InvalidInput
from pentad.domain.messages import ToolResultBlock
from pentad.domain.runs import Overrides
from pentad.domain.values import WHOLE, FrozenValue
from pentad.orchestration.turn.decision import CALLS_PER_TURN
from pentad.tools.runtime.sanitise import fit_words

RESULT_CHARACTERS = 100_000
_CallId = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class GivenResult(FrozenValue):
    """A result that a call of the turn gets in place of its own."""

    call: Annotated[int, Field(ge=0, le=99), WHOLE] | _CallId = Field(
        description="the call's index in the turn, or its id"
    )
    content: str = Field(max_length=RESULT_CHARACTERS, description="what the model is told the tool said")
    is_error: bool = Field(default=False, strict=True)


class ForkRequest(FrozenValue):
    """Where a run is forked and what is different from there: the body of ``POST /v1/runs/{id}/fork``."""

    at: Annotated[int, Field(ge=0, le=99_999), WHOLE] = Field(
        description="the last turn that is kept; 0 keeps the user's message only"
    )
    prompt: str | None = Field(default=None, min_length=1, max_length=100_000, description="in place of the agent's")
    model: str | None = Field(default=None, min_length=1, max_length=200, description="a chat model of the catalog")
    tool_results: tuple[GivenResult, ...] = Field(default=(), max_length=CALLS_PER_TURN)


def map_results(results: Sequence[GivenResult], ids: Sequence[str], at: int) -> dict[str, GivenResult]:
    """Return the given results by call id.

    Raises:
        InvalidInput: one is for a call that the turn has not, or two are for the same.
    """
    found: dict[str, GivenResult] = {}
    for place, result in enumerate(results):
        field = f"tool_results.{place}.call"
        call = ids[result.call] if isinstance(result.call, int) and result.call < len(ids) else result.call
        if call not in ids:
            has = f"has calls 0 to {len(ids) - 1}: {', '.join(ids)}" if ids else "has no calls"
            raise InvalidInput("the turn has no such call", field=field, fix=f"turn {at} {has}")
        if call in found:
            raise InvalidInput("two results are for the same call", field=field)
        found[str(call)] = result
    return found


def replace_result(block: ToolResultBlock, given: dict[str, GivenResult]) -> ToolResultBlock:
    """Return the result that is given for a call, or its own."""
    result = given.get(block.call_id)
    if result is None:
        return block
    # The mark of words from outside stays: who forks can not vouch for them.
    return block.model_copy(update={"content": fit_words(result.content), "is_error": result.is_error})


def merge_overrides(before: Overrides | None, request: ForkRequest, replaced: tuple[str, ...]) -> Overrides | None:
    """Return what the fork changes; what its source, a fork itself, had changed stays so, and shows on it too."""
    inherited = before or Overrides()
    overrides = Overrides(
        prompt=request.prompt or inherited.prompt,
        model=request.model or inherited.model,
        replaced=(*inherited.replaced, *(call for call in replaced if call not in inherited.replaced)),
    )
    return None if overrides == Overrides() else overrides


def fork_hash(run_id: str, request: ForkRequest) -> str:
    """Return the SHA-256 of a request to fork a run: tells a repeat from a conflict."""
    body = {"fork": run_id} | request.model_dump(mode="json")
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
