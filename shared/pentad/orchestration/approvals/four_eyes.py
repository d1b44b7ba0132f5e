"""Four eyes: whoever asked for a run does not bring about what it waits for."""

from collections.abc import Collection

from pentad.domain.errors import PolicyDenied
from pentad.domain.runs import Approval


def check_requester(approval: Approval, verb: str, people: Collection[str]) -> None:
    """Return if a human may say this: to reject, or to answer a question, is everybody's.

    Args:
        approval: as it is stored.
        verb: what is said.
        people: the human, by all names that are known.

    Raises:
        PolicyDenied: others than who asked for the run have to decide.
    """
    if not approval.not_requester or verb == "reject" or (verb == "answer" and approval.kind == "question"):
        return
    if not approval.requesters.isdisjoint(people):
        raise PolicyDenied(
            "you asked for this run, and others have to decide on what it does",
            field="decision",
            fix="ask somebody else of the group to decide, or reject it",
        )
