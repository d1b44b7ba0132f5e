"""The Recall state: chooses a run's context and keeps it as the run's manifest; and the tool `search_knowledge`."""

from pentad.domain.errors import NotFound
from pentad.domain.ids import AgentName, RunId, SessionId, TenantId
from pentad.domain.values import FrozenValue
from pentad.runtime.catalog import load_catalog
from pentad.runtime.entrypoint import LambdaContext, deadline_of, entrypoint
from pentad.runtime.knowledge import answer_call
from pentad.runtime.wiring import recall as wiring
from pentad.tools.runtime.handed import HandedCall, ToolAnswer


class Reference(FrozenValue):
    """Which run."""

    tenant_id: TenantId
    run_id: RunId
    session_id: SessionId
    agent: AgentName


@entrypoint("recall", Reference | HandedCall, tells=(Reference,))
def handler(event: Reference | HandedCall, context: LambdaContext) -> dict[str, int] | ToolAnswer:
    """Recall for one run, where a repeat returns what was chosen; or search for one call of the tool runner's."""
    if isinstance(event, HandedCall):
        return answer_call(event, wiring.make_knowledge_search(), load_catalog())
    agent = load_catalog().agents.get(event.agent)
    if agent is None:
        raise NotFound(f"no agent '{event.agent}'", field="agent")
    until = deadline_of(context, spare_seconds=2)
    manifest = wiring.make_recall().run(event.tenant_id, event.run_id, event.session_id, agent, deadline=until)
    return {"passages": manifest.passages}
