"""What a graph's own tools say, on its way to the model."""

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from pentad.domain.messages import ToolResultBlock
from pentad.tools.graphs.adapters.langgraph_messages import to_request
from pentad.tools.results.shape import MAX_SHOWN_BYTES


def _told(text: str) -> ToolResultBlock:
    asked = AIMessage("", tool_calls=[{"name": "fetch", "args": {}, "id": "c1"}])
    _, messages = to_request([HumanMessage("hi"), asked, ToolMessage(text, tool_call_id="c1")])
    [block] = messages[-1].blocks
    assert isinstance(block, ToolResultBlock)
    return block


def test_it_passes_the_seam_of_every_result() -> None:
    block = _told(f"head\u202e sk-ant-{'a1' * 12} " + "x" * 200_000 + " tail")
    assert block.content.startswith("head [masked] x") and block.content.endswith(" tail") and block.untrusted
    assert len(block.content.encode()) <= MAX_SHOWN_BYTES and "left out here and not kept]" in block.content


def test_it_is_the_same_each_time_that_it_is_sent() -> None:
    assert _told("y" * 200_000) == _told("y" * 200_000)
