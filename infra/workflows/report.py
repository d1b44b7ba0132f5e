"""A report by several agents: planned, researched, calculated, reviewed, written, improved until it is good enough."""

from pydantic import BaseModel, Field

from infra.orchestration.fragments import Flow, Fragment
from pentad.domain.usage import Limits

_SOURCES = (
    "<passages>\n"
    '<passage document="findings" title="what specialists found">\n{{findings}}\n</passage>\n'
    '<passage document="review" title="what the reviewer says of it">\n{{review}}\n</passage>\n'
    "</passages>\n\n<question>{{input}}</question>\n\n"
)

_NAMES = (
    "Name sources by their names, never by markers in brackets: keep the names of documents in parentheses as they "
    "stand.\n\n"
)


class Verdict(BaseModel):
    """How good a report is."""

    score: float = Field(ge=0, le=1, description="1: answers all that was asked, every statement is in the findings")
    missing: str = Field(description="what to add, correct or take out, in at most five sentences")


def workflow(flow: Flow) -> Fragment:
    """Writes a report: an editor plans, specialists work at once, a reviewer checks, and it is improved twice at most.

    Each of them is an agent with its own tools, memory and limits. One of the specialists has to succeed.
    """
    flow.limits = Limits(steps=40, seconds=3600, cost_nanousd=5_000_000_000)
    plan = flow.agent("plan", "editor", "Plan a report on this request: {{input}}")
    facts = flow.agent("facts", "assistant", "{{input}}\n\nThe editor's plan, for what to look at:\n{{plan}}")
    figures = flow.agent("figures", "analyst", "{{input}}\n\nThe editor's plan, for which figures:\n{{plan}}")
    review = flow.agent("review", "reviewer", "{{input}}\n\nReview these findings:\n{{findings}}")
    report = flow.model(
        "report",
        f"{_SOURCES}{_NAMES}Write the report that the question asks for, from the findings alone. Heed the review.",
    )
    written = flow.delegate("writing", plan=plan, specialists=[facts, figures], review=review, synthesis=report)
    verdict = flow.model(
        "verdict",
        '<passages>\n<passage document="report" title="report">\n{{report}}\n</passage>\n</passages>\n\n'
        "<question>{{input}}</question>\n\n"
        "Rate the report: does it answer the question, and only from these findings?\n\n"
        "<findings>\n{{findings}}\n</findings>",
        task="judge",
        output=Verdict,
    )
    better = flow.model(
        "better",
        f"{_SOURCES}{_NAMES}This is the report so far:\n{{{{report}}}}\n\n"
        "Write it anew. Heed what was said of it: {{verdict.missing}}",
    )
    flow.answer = "{{report}}"
    return flow.refine("quality", produce=written, judge=verdict, improve=better, threshold=0.8, rounds=3)
