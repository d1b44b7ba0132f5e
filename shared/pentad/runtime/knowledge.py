"""Answer the tool runner's calls of `search_knowledge`, as a tool's function does."""

from pentad.domain.declarations.agents import Catalog, KnowledgeSpec
from pentad.domain.errors import InvalidInput, PentadError, TransientError
from pentad.domain.models import EMBED_QUERY, CallContext
from pentad.memory.retrieval.knowledge import KnowledgeSearch
from pentad.tools.runtime.handed import HandedCall, ToolAnswer


def answer_call(handed: HandedCall, search: KnowledgeSearch, catalog: Catalog) -> ToolAnswer:
    """Return what a call came to; no error is raised but of a deployment that is not set up.

    Args:
        handed: the call; whose documents are searched is the runner's word, not the model's.
        search: answers it.
        catalog: says how the agent retrieves.
    """
    agent = catalog.agents.get(handed.agent)
    context = CallContext(
        tenant_id=handed.tenant_id,
        agent=handed.agent,
        user_id=handed.user_id,
        session_id=handed.session_id,
        run_id=handed.run_id,
        step=handed.step,
        purpose=EMBED_QUERY,
    )
    knowledge = KnowledgeSpec() if agent is None else agent.knowledge
    try:
        value = search.run(handed.arguments, knowledge, context, deadline=handed.deadline)
    except InvalidInput as error:
        return _tell_error("rejected", error)
    except TransientError as error:
        return _tell_error("again", error).model_copy(update={"retry_after": error.retry_after})
    except PentadError as error:
        return _tell_error("error", error)
    return ToolAnswer(kind="value", value=value)


def _tell_error(kind: str, error: PentadError) -> ToolAnswer:
    return ToolAnswer.model_validate(
        {"kind": kind, "text": error.message, "error_type": type(error).__name__, "fix": error.fix}
    )
