"""Several agents on one matter: one plans, specialists work at once, a separate one reviews, and one answer is made."""

from collections.abc import Sequence

from infra.orchestration.fragments.base import Fragment
from infra.orchestration.fragments.control import Parallel, Policy, Sequential, result_of
from infra.orchestration.fragments.exports import Known
from infra.orchestration.fragments.steps import Text
from infra.orchestration.fragments.workflow import Workflow


class Delegate(Fragment):
    """Plan, specialists at once, their findings put together, a review of them, a synthesis.

    Each of them is a part of its own: an agent's run has its own tools, memory, limits and budget. The aggregation is a
    step without a model: every specialist's result under its name. No state of its own beside those of `Parallel`.
    """

    def __init__(
        self,
        flow: Workflow,
        name: str,
        *,
        plan: Fragment,
        specialists: Sequence[Fragment],
        findings: Text,
        review: Fragment,
        synthesis: Fragment,
        needs: Policy,
    ) -> None:
        """Make a delegation.

        Args:
            flow: the workflow.
            name: of the delegation.
            plan: what the orchestrator makes of the matter; specialists' prompts refer to it.
            specialists: the parts that work at once.
            findings: puts their results together.
            review: looks at the findings; not one of those who made them.
            synthesis: makes the answer of plan, findings and review; its result is the delegation's.
            needs: how many specialists have to succeed.
        """
        super().__init__(flow, name)
        at_once = Parallel(flow, f"{name}_specialists", specialists, needs)
        self._whole = Sequential(flow, f"{name}_steps", [plan, at_once, findings, review, synthesis])
        self.owned, self.span, self.certain = self._whole.owned, self._whole.span, self._whole.certain
        self.first, self.ends = self._whole.first, self._whole.ends
        self.result = result_of(name, synthesis)

    def resolve(self, known: Known) -> Known:
        """See `Fragment`."""
        return self._whole.resolve(known)


def build_findings_template(specialists: Sequence[Fragment]) -> str:
    """Return the template that puts specialists' results together, each under its name."""
    return "\n\n".join(f"## {one.name}\n{{{{{result_of('findings', one)}}}}}" for one in specialists)
