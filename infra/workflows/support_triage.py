"""A request to support is sorted: answered by an agent, handed to a human, or asked back."""

from typing import Literal

from pydantic import BaseModel, Field

from infra.orchestration.fragments import Flow, Fragment
from pentad.domain.usage import Limits


class Triage(BaseModel):
    """Which kind of request it is."""

    route: Literal["answer", "complaint", "unclear"] = Field(
        description="answer: a question that documents may answer; complaint: the customer is angry, wants money "
        "back or names a loss; unclear: one cannot tell what is wanted"
    )
    urgency: Literal["normal", "urgent"]
    summary: str = Field(description="the request in one sentence")


def workflow(flow: Flow) -> Fragment:
    """Sorts a support request and sees to it: an agent answers questions, humans take complaints.

    A complaint waits for a human of the group support, and after four hours for one of the group managers.
    """
    flow.limits = Limits(steps=10, seconds=1800)
    triage = flow.model(
        "triage", "Sort this request to support.\n\n<request>\n{{input}}\n</request>", task="classify", output=Triage
    )
    answered = flow.agent("answered", "assistant", "{{input}}")
    taken = flow.question(
        "taken",
        "A customer complains ({{triage.urgency}}): {{triage.summary}}\n\n{{input}}\n\nWhat shall we answer?",
        group="support",
        seconds=14_400,
        escalate_to=["managers"],
    )
    asked = flow.text(
        "asked", "We are not sure what you need. Please tell us the product, what you did, and what happened."
    )
    flow.answer = "{{answered | taken | asked}}"
    routes = {"answer": answered, "complaint": taken}
    return flow.sequential(triage, flow.branch("triage.route", routes, otherwise=asked))
