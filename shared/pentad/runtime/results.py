"""Answer the tool runner's calls of `read_result`, in the runner itself."""

from pentad.domain.declarations.agents import Catalog
from pentad.domain.errors import NotFound
from pentad.tools.offer.own import find_spec
from pentad.tools.results.handles import parse_handle
from pentad.tools.results.read import Reading, ReadResults, parse_query
from pentad.tools.runtime.handed import HandedCall, ToolAnswer
from pentad.tools.runtime.ports import ToolCalls
from pentad.tools.runtime.sanitise import Cleaner


def answer_read(handed: HandedCall, results: ReadResults, runs: ToolCalls, catalog: Catalog) -> ToolAnswer:
    """Return what a call came to.

    Args:
        handed: the call; whose results are read is the runner's word, not the model's.
        results: reads them.
        runs: says which call a result is of: what is safe in it, and whether it holds text from outside.
        catalog: the tools.

    Raises:
        InvalidInput: the arguments are not valid.
        NotFound: this run has no such result.
        StoreUnavailable: a store did not answer.
    """
    query = parse_query(handed.arguments)
    lineage: tuple[str, ...] = (handed.run_id,)
    if parse_handle(handed.tenant_id, handed.run_id, query.handle) is None:
        _, run = runs.get_call_and_run(handed.tenant_id, handed.run_id, handed.step, handed.index)
        earlier = (run.forked_from_run_id, run.redrive_of_run_id, run.parent_run_id)
        lineage = (*lineage, *(one for one in earlier if one is not None))
    run_id, place = Reading(handed.tenant_id, lineage).find(query.handle)
    try:
        call = runs.get_call(handed.tenant_id, run_id, place.step, place.index)
    except NotFound as error:
        raise NotFound("the result's call is gone", field="handle", fix="call its tool again") from error
    spec = find_spec(catalog, call.tool)
    cleaner = Cleaner(() if spec is None else spec.safe_output)
    text = results.read(query, handed.tenant_id, run_id, place, cleaner.clean)
    # What was masked when it was kept is told with the result; here it would be counted twice.
    return ToolAnswer(kind="text", text=text, untrusted=call.untrusted)
