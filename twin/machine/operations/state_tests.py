"""TestState: one state, evaluated by itself in this process, with what each step of its data flow gave.

Source: TestState of the API reference, and "Using TestState API to test a state" of the developer guide.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from moto.stepfunctions.parser.api import HistoryEventType, StateMachineType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.evaluation_details import AWSExecutionDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from twin.machine.encoding import dump_json, to_iso
from twin.machine.errors import RUNTIME, match_error
from twin.machine.events import event_details
from twin.machine.jsonata.expressions import mark_locations

Json = dict[str, Any]

LIFETIME: Final = 300.0
"""Seconds; then the test fails with States.Timeout."""
_TIMEOUT: Final = "States.Timeout"
_NAME: Final = "TestState"


class StateTest(NamedTuple):
    """What is asked for.

    Attributes:
        state: the state's definition.
        name: its name.
        language: the query language of its machine.
        value: its input.
        variables: by their names.
        role: as which its task calls.
        mock: ``result``, as JSON, or ``errorOutput``; None to call.
        context: fields of the context object.
        retries: how often the retrier of the mocked error has retried so far.
    """

    state: Json
    name: str
    language: str
    value: Any
    variables: Json
    role: str
    mock: Json | None
    context: Json
    retries: int


class _CaughtError(NamedTuple):
    """How an error is handled."""

    error: str | None
    cause: str | None
    retry_index: int | None = None
    seconds: float | None = None
    catch_index: int | None = None


class _RetriableError(BaseException):
    """Control signal: the state would be retried. No error of an attempt, so nothing within the state catches it."""


class StateTestResult(NamedTuple):
    """What a test found: the fields of TestState's answer."""

    answer: Json
    inspection: Json


def find_state(machine: Mapping[str, Any], name: str) -> Json | None:
    """Return a state of a definition by its name, also one of a branch or an iteration; None if there is none."""
    for body in _walk(machine):
        found = body.get("States", {}).get(name)
        if found is not None:
            return dict(found)
    return None


def _walk(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield body
    for state in body.get("States", {}).values():
        for inner in (*state.get("Branches", ()), state.get("ItemProcessor"), state.get("Iterator")):
            if inner:
                yield from _walk(inner)


def run_state(test: StateTest, *, account: str, region: str) -> StateTestResult:
    """Evaluate the state once, for five minutes at most.

    Raises:
        Exception: of the parser, of any kind: the definition is none.
    """
    return _Run(test, account, region).run()


class _Run:
    """One evaluation."""

    def __init__(self, test: StateTest, account: str, region: str) -> None:
        self._test = test
        machine = {"StartAt": test.name, "States": {test.name: test.state}}
        program: Any = AmazonStateLanguageParser.parse(json.dumps({"QueryLanguage": test.language, **machine}))[0]
        mark_locations(program)
        self._state: Any = program.states.states[test.name]
        self._inspection: Json = {"input": dump_json(test.value)}
        self._handled: _CaughtError | None = None
        self._failure: Any = None
        self._env = self._make_environment(account, region)
        self._watch()

    def run(self) -> StateTestResult:
        thread = threading.Thread(target=self._evaluate, name=f"test of {self._test.name}", daemon=True)
        thread.start()
        thread.join(LIFETIME)
        if thread.is_alive():
            self._env.set_timed_out()
            self._failure = (_TIMEOUT, f"The test took longer than {LIFETIME:.0f} seconds.")
        variables = dict(self._env.variable_store._inner_scope)
        self._inspection["variables"] = dump_json(variables)
        if self._handled is not None:
            self._inspection["errorDetails"] = _describe(self._handled)
        return StateTestResult(self._build_answer(), self._inspection)

    def _evaluate(self) -> None:
        env = self._env
        try:
            self._state.eval(env)
            end = env.program_state()
            if getattr(end, "error", None):  # a Fail state ends its program
                self._failure = (end.error.get("error"), end.error.get("cause"))
        except _RetriableError:
            return
        except FailureEventException as error:
            told = error.get_execution_failed_event_details() or {}
            self._failure = (told.get("error"), told.get("cause"))
        except Exception as error:  # what a program would fail with
            self._failure = (RUNTIME, f"{type(error).__name__}({error})")

    def _build_answer(self) -> Json:
        handled = self._handled
        if self._failure is not None:
            error, cause = self._failure
            return _leave_out({"status": "FAILED", "error": error, "cause": cause})
        told = {"error": handled.error, "cause": handled.cause} if handled is not None else {}
        if handled is not None and handled.retry_index is not None:
            return _leave_out({"status": "RETRIABLE", **told})
        following = self._env.next_state_name
        has_next = following is not None and (following != self._test.name or self._test.state["Type"] == "Choice")
        return _leave_out(
            {
                "status": "SUCCEEDED" if handled is None else "CAUGHT_ERROR",
                **told,
                "output": dump_json(self._env.states.get_input()),
                "nextState": following if has_next else None,
            }
        )

    def _make_environment(self, account: str, region: str) -> Any:
        test = self._test
        arn = f"arn:aws:states:{region}:{account}:express:{_NAME}:{_NAME}"
        execution: Json = {
            "Id": arn,
            "Input": test.value,
            "Name": _NAME,
            "RoleArn": test.role,
            "StartTime": to_iso(datetime.now(UTC)),
            "RedriveCount": 0,
        }
        machine: Json = {"Id": f"arn:aws:states:{region}:{account}:stateMachine:{_NAME}", "Name": _NAME}
        given = dict(test.context)
        context: Any = {
            "Execution": execution | given.pop("Execution", {}),
            "StateMachine": machine | given.pop("StateMachine", {}),
            **given,
        }
        env = Environment(
            aws_execution_details=AWSExecutionDetails(account=account, region=region, role_arn=test.role),
            execution_type=StateMachineType.STANDARD,
            context=context,
            event_history_context=EventHistoryContext.of_program_start(),
            cloud_watch_logging_session=None,
            activity_store={},
        )
        env.states.reset(input_value=test.value)
        for name, value in test.variables.items():
            env.variable_store.set(variable_identifier=name, variable_value=value)
        env.next_state_name = test.name
        return env

    def _watch(self) -> None:
        """Have the parts of the state tell what they give, and its errors how they are handled."""
        state, mock = self._state, self._test.mock
        jsonata = not state._is_language_query_jsonpath()
        self._tell(state, "input_path", "afterInputPath")
        parameters = "parameters" if self._test.state["Type"] == "Pass" else "parargs"
        self._tell(state, parameters, "afterArguments" if jsonata else "afterParameters")
        self._tell(state, "result_selector", "afterResultSelector")
        self._tell(state, "result_path", "afterResultPath")
        self._tell(state, "result", "result")
        if not hasattr(state, "_eval_execution"):
            return
        execute = state._eval_execution if mock is None else lambda env: self._answer_mock(env, mock)

        def run(env: Any) -> None:
            execute(env)
            self._inspection["result"] = dump_json(env.stack[-1])

        state._eval_execution = run
        state._handle_retry = self._look_at_retries
        if state.catch is not None:
            state._handle_catch = self._wrap_catch(state._handle_catch)

    def _tell(self, state: Any, part: str, name: str) -> None:
        component = getattr(state, part, None)
        if component is None:
            return
        original = component._eval_body

        def evaluate(env: Any) -> None:
            original(env)
            self._inspection[name] = dump_json(env.stack[-1])

        component._eval_body = evaluate

    def _answer_mock(self, env: Any, mock: Json) -> None:
        if hasattr(self._state, "_eval_parameters"):
            self._state._eval_parameters(env)
        error = mock.get("errorOutput")
        if error is None:
            env.stack.append(json.loads(mock["result"]))
            return
        details = {"error": error.get("error"), "cause": error.get("cause", "")}
        raise FailureEventException(
            FailureEvent(
                env=env,
                error_name=CustomErrorName(error_name=error.get("error")),
                event_type=HistoryEventType.TaskFailed,
                event_details=event_details(taskFailedEventDetails=details),
            )
        )

    def _look_at_retries(self, env: Any, failure_event: Any) -> None:
        """Tell whether the state would be retried, and when; it is not."""
        error = failure_event.error_name.error_name if failure_event.error_name else None
        for index, retrier in enumerate(self._test.state.get("Retry", ())):
            if not match_error(set(retrier["ErrorEquals"]), error):
                continue
            if self._test.retries >= retrier.get("MaxAttempts", 3):
                return
            seconds = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** self._test.retries
            most = retrier.get("MaxDelaySeconds", seconds)
            told = env.states.get_error_output()
            self._handled = _CaughtError(told["Error"], told["Cause"], index, min(seconds, most))
            raise _RetriableError

    def _wrap_catch(self, original: Any) -> Any:
        def catch(env: Any, failure_event: Any) -> None:
            told = env.states.get_error_output()
            error = failure_event.error_name.error_name if failure_event.error_name else None
            original(env=env, failure_event=failure_event)
            for index, catcher in enumerate(self._test.state["Catch"]):
                if match_error(set(catcher["ErrorEquals"]), error):
                    self._handled = _CaughtError(told["Error"], told["Cause"], catch_index=index)
                    return

        return catch


def _describe(handled: _CaughtError) -> Json:
    told = {"retryIndex": handled.retry_index, "catchIndex": handled.catch_index}
    seconds = handled.seconds
    return _leave_out(told | {"retryBackoffIntervalSeconds": None if seconds is None else round(seconds)})


def _leave_out(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value is not None}
