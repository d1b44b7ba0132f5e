"""Say which tools a turn's model is offered."""

from pentad.domain.declarations.agents import Catalog
from pentad.domain.messages import TextBlock, ToolResultBlock
from pentad.orchestration.turn.turn_input import TurnContext
from pentad.tools.offer.choose import Offer, offer_tools
from pentad.tools.results.handles import HANDLE, HANDLE_START, parse_handle


def list_turn_tools(catalog: Catalog, situation: TurnContext) -> Offer:
    """Return the tools of a turn in a stable order; `read_result` is one of them once the run has a cut result.

    Raises:
        ConfigurationError: see `offer_tools`.
    """
    return offer_tools(catalog, situation.agent, reads=sees_cut_result(situation))


def sees_cut_result(situation: TurnContext) -> bool:
    """Tell whether the model sees the handle of a result that this run, or one that it goes on for, can read on in."""
    run = situation.run
    lineage = (run.run_id, run.forked_from_run_id, run.redrive_of_run_id, run.parent_run_id)
    texts = (
        block.content if isinstance(block, ToolResultBlock) else block.text
        for one in situation.seen
        for block in one.message.blocks
        if isinstance(block, ToolResultBlock | TextBlock)
    )
    handles = {match[0] for text in texts if HANDLE_START in text for match in HANDLE.finditer(text)}
    return any(
        run_id is not None and parse_handle(run.tenant_id, run_id, handle) for handle in handles for run_id in lineage
    )
