"""A page on a topic: a graph's briefing and a LangChain tool's address at once, put together by a model."""

from infra.orchestration.fragments import Flow, Fragment
from pentad.domain.usage import Limits


def workflow(flow: Flow) -> Fragment:
    """Writes a page on a topic from the briefing of a graph, with an address of its own.

    What the graph's models cost counts against these limits, as the last step's model does.
    """
    flow.limits = Limits(steps=10, seconds=1800, cost_nanousd=500_000_000)
    briefing = flow.tool("briefing", "briefing", topic="{{input}}")
    address = flow.tool("address", "slugify", title="{{input}}")
    page = flow.model(
        "page",
        "Write a page of at most 200 words from this briefing, with a title.\n\n<briefing>\n{{briefing}}\n</briefing>",
        task="summarise",
    )
    flow.answer = "/{{address}}\n\n{{page}}"
    return flow.sequential(flow.parallel(briefing, address, name="material"), page)
