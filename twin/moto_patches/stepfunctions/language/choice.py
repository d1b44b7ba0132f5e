"""Choice states.

What moto gets wrong: a matched rule also gets the default's `Assign` and `Output` where both lead to one state; no
matching rule is `States.Runtime`.
"""

from typing import Any

from moto.stepfunctions.parser.api import (
    ExecutionFailedEventDetails,
    HistoryEventType,
)
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.choice.choice_rule import ChoiceRule
from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice

from twin.machine.events import event_details
from twin.moto_patches.patching import Patches


def _choose_next(self: Any, env: Any) -> None:
    for rule in self.choices_decl.rules:
        rule.eval(env)
        if env.stack.pop() is True:
            env.stack.append((rule.next_stmt.name, True))
            return
    if self.default_state is None:
        name = StatesErrorNameType.StatesNoChoiceMatched
        raise FailureEventException(
            failure_event=FailureEvent(
                env=env,
                error_name=StatesErrorName(typ=name),
                event_type=HistoryEventType.ExecutionFailed,
                event_details=event_details(
                    executionFailedEventDetails=ExecutionFailedEventDetails(
                        error=name.to_name(),
                        cause=f"Failed to transition out of the state '{self.name}'. The state's choices did not match "
                        "the input and there is no default.",
                    )
                ),
            )
        )
    env.stack.append((self.default_state.state_name, False))


def _apply_choice_output(self: Any, env: Any) -> None:
    next_state_name, matched = env.stack.pop()
    if not matched:
        if self.assign_decl:
            self.assign_decl.eval(env=env)
        if self.output:
            self.output.eval(env=env)
    if self._is_language_query_jsonpath():
        if self.output_path:
            self.output_path.eval(env=env)
        else:
            env.states.reset(input_value=env.stack.pop())
    env.next_state_name = next_state_name


def _apply_choice_rule(self: Any, env: Any) -> None:
    self.comparison.eval(env)
    if env.stack[-1] is not True:
        return
    if self.assign:
        self.assign.eval(env=env)
    if self.output:
        self.output.eval(env=env)


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.set_attribute(StateChoice, "_eval_state", _choose_next)
    patches.set_attribute(StateChoice, "_eval_state_output", _apply_choice_output)
    patches.set_attribute(ChoiceRule, "_eval_body", _apply_choice_rule)
