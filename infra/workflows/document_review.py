"""A document is read, checked, and approved by a human before anything is answered."""

from typing import Literal

from pydantic import BaseModel, Field

from infra.orchestration.fragments import Flow, Fragment
from pentad.domain.usage import Limits


class Facts(BaseModel):
    """What a document says."""

    title: str = Field(description="the document's title, or a name for it")
    purpose: str = Field(description="what it is for, in one sentence")
    obligations: list[str] = Field(description="what it obliges somebody to do")
    dates: list[str] = Field(description="dates and deadlines that it names")


class Findings(BaseModel):
    """What a reviewer has to know."""

    risk: Literal["low", "medium", "high"] = Field(description="how much harm the document could do as it is")
    findings: list[str] = Field(description="what is unclear, missing or risky, the worst first")


def workflow(flow: Flow) -> Fragment:
    """Reviews a document and has a human sign the review.

    Give it the document's text. A human sees the review, may change it, and approves or rejects it.
    """
    flow.limits = Limits(steps=10, seconds=1800)
    facts = flow.model(
        "facts",
        "Read this document and note what it says. Add nothing.\n\n<document>\n{{input}}\n</document>",
        task="extract",
        output=Facts,
    )
    today = flow.tool("today", "date_time", operation="now")
    findings = flow.model(
        "findings",
        "Review this document for a careful reader: what is unclear, missing, late or risky?\n\n"
        "Today: {{today}}\n\n<document>\n{{input}}\n</document>\n\n<facts>\n{{facts}}\n</facts>",
        output=Findings,
    )
    review = flow.text(
        "review",
        "Review of: {{facts.title}}\n\nPurpose: {{facts.purpose}}\nRisk: {{findings.risk}}\n\n"
        "Obligations: {{facts.obligations}}\nDates: {{facts.dates}}\nFindings: {{findings.findings}}",
    )
    sign_off = flow.approval("sign_off", "{{review}}", group="reviewers", seconds=172_800, remind_seconds=43_200)
    flow.answer = "{{sign_off}}"
    return flow.sequential(flow.parallel(facts, today), findings, review, sign_off)
