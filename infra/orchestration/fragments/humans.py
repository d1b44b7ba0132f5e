"""Humans in workflows: the states that ask, wait, remind and go on; a human's step; an approval with its two ways."""

from aws_cdk import aws_stepfunctions as sfn

from infra.orchestration.fragments.base import Fragment
from infra.orchestration.fragments.exports import Known
from infra.orchestration.fragments.jsonata import DATA, merge, wrap_jsonata
from infra.orchestration.fragments.states import create_state
from infra.orchestration.fragments.steps import Nothing, StepFragment
from infra.orchestration.fragments.waiting import Wait
from infra.orchestration.fragments.workflow import Workflow
from pentad.domain.declarations.workflows import HumanStep
from pentad.orchestration.approvals.waiting_times import compute_first_wait


class HumanRun(StepFragment):
    """A human is asked: three states."""

    def __init__(self, flow: Workflow, spec: HumanStep, *, strict: bool) -> None:
        """Make the step.

        Args:
            flow: the workflow.
            spec: its definition.
            strict: a rejection stops the run.
        """
        super().__init__(flow, spec, {"text": spec.text})
        task = self.build_task("human_done", {"strict": "true" if strict else "false"}, refers=False)
        collect = create_state(
            self,
            f"{self.name}: collect",
            task | {"Output": wrap_jsonata(merge(Wait.strip_data(), "$states.result.Payload"))},
        )
        wait = Wait(
            self,
            self,
            flow.arn("workflow"),
            seconds=compute_first_wait(spec.seconds, spec.remind_seconds),
            suffix="",
            then=collect,
        )
        self.first, self.ends = wait.first, [collect]

    @property
    def fields(self) -> frozenset[str] | None:
        """Why, and who."""
        return frozenset({"reason", "decided_by"})


class HumanApproval(Fragment):
    """A human approves, edits or rejects, and each has its way on. One state beside the human's three.

    Without a way for a rejection it stops the run, with the reason, and needs no state of its own.
    """

    def __init__(
        self, flow: Workflow, human: HumanRun, approved: Fragment | None = None, rejected: Fragment | None = None
    ) -> None:
        """Make an approval.

        Args:
            flow: the workflow.
            human: who is asked what.
            approved: what follows an approval; nothing by default.
            rejected: what follows a rejection, or a time over without a decision.
        """
        super().__init__(flow, f"{human.name}_approval")
        self._human = human
        self._ways = [way for way in (approved, rejected) if way is not None]
        self.owned = tuple(one for part in (human, *self._ways) for one in part.owned)
        self.span = max(part.span for part in (human, *self._ways))
        self.certain = human.certain
        self.first = human.first
        self.result = human.name if not self._ways else None
        if rejected is None:
            self.ends = human.ends if approved is None else approved.ends
            if approved is not None:
                human.connect_to(approved.first)
            return
        way = approved or Nothing(flow, f"{human.name}_approved")
        choice = sfn.Choice.jsonata(self, f"{human.name}: which way")
        yes = f"{DATA}.{human.name}.status in ['approved', 'answered']"
        choice.when(sfn.Condition.jsonata(wrap_jsonata(yes)), way.first).otherwise(rejected.first)
        human.connect_to(choice)
        self.ends = [*way.ends, *rejected.ends]

    def resolve(self, known: Known) -> Known:
        """See `Fragment`."""
        after = dict(self._human.resolve(known))
        for way in self._ways:
            after |= way.resolve(after)
        return after
