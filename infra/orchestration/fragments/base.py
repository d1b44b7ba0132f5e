"""What every fragment of a workflow is: states with one way in, the steps in it, and what they leave for others.

The data between the states is ``{step: {status, at, exported fields}}`` and, under names that begin with an underscore,
what loops keep: references and small fields only. A result's words are in the store, at its place.
"""

from abc import abstractmethod
from collections.abc import Sequence

from aws_cdk import aws_stepfunctions as sfn

from infra.orchestration.fragments.exports import Known
from infra.orchestration.fragments.workflow import Workflow


class Fragment(sfn.StateMachineFragment):
    """A part of a workflow.

    Attributes:
        flow: the workflow that it is a part of.
        name: of it.
        owned: names under which it and its parts leave something in the data.
        span: how many counts of `ROUND` it takes: the rounds of its loops, multiplied where they nest.
        first: the state to enter it by.
        ends: the states that lead out of it.
        leaf: it is one step.
        certain: the steps that are done in any case, where it is entered and nothing fails.
        result: the step whose result it comes to; None where it has no one result.
    """

    owned: tuple[str, ...]
    span: int = 1
    first: sfn.State
    ends: Sequence[sfn.INextable]
    leaf: bool = False
    certain: tuple[str, ...] = ()
    result: str | None = None

    def __init__(self, flow: Workflow, name: str) -> None:
        super().__init__(flow, flow.take(name))
        self.flow = flow
        self.name = name

    @property
    def start_state(self) -> sfn.State:
        """See StateMachineFragment."""
        return self.first

    @property
    def end_states(self) -> list[sfn.INextable]:
        """See StateMachineFragment."""
        return list(self.ends)

    @abstractmethod
    def resolve(self, known: Known) -> Known:
        """Check what the parts refer to, and return what is known after them.

        What is wrong is told to the flow.

        Args:
            known: the results that come before.
        """

    def connect_to(self, following: sfn.IChainable) -> None:
        """Let the fragment lead to a state or to another fragment."""
        for end in self.ends:
            end.next(following)
