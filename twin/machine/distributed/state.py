"""A distributed Map state at work: read the items, run a child execution for each batch, give the results.

Sources: "Using Map state in Distributed mode" of the Step Functions developer guide, and histories recorded on AWS.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import StateCredentials

from twin.machine import executions
from twin.machine.clients import create_client, translate_optimised_error
from twin.machine.distributed.batches import BatchingError, ChildInput, build_inputs, read_limits
from twin.machine.distributed.children import ask_to_start, build_child, can_go_on, go_on_with, start_child
from twin.machine.distributed.fields import MapFields
from twin.machine.distributed.items import ReadingError, read_items, spool_items
from twin.machine.distributed.results import Results, TooLargeError
from twin.machine.distributed.runs import MapRun
from twin.machine.encoding import dump_json
from twin.machine.events import add_event, event_details
from twin.machine.lifecycle import AbandonedError, close_with

TOLERANCE_EXCEEDED = "States.ExceedToleratedFailureThreshold"
READER_FAILED = "States.ItemReaderFailed"
WRITER_FAILED = "States.ResultWriterFailed"
TOO_LARGE = "States.DataLimitExceeded"

Json = dict[str, Any]


def run_distributed_map(state: Any, env: Any) -> None:
    """Run the state and leave its result on the environment's stack.

    Raises:
        FailureEventException: the Map Run failed.
        AbandonedError: the execution was stopped meanwhile; so are the child executions.
    """
    fields: MapFields = state.distributed
    given = _read_given_items(state, env) if fields.reader is None else None
    run, started_id = _go_on(env) if env.progress.map_run is not None else _begin(state, env, given)
    try:
        output = _MapWork(state, env, fields, run).run(given)
    except FailureEventException as error:
        run.stop("FAILED")
        name, cause = error.extract_error_cause_pair() or (None, None)
        failed = {key: value for key, value in (("error", name), ("cause", cause)) if value}
        add_event(env, HistoryEventType.MapRunFailed, event_details(mapRunFailedEventDetails=failed))
        raise
    except BaseException:
        run.stop("ABORTED" if not env.is_running() else "FAILED")
        raise
    run.stop("SUCCEEDED")
    add_event(env, HistoryEventType.MapRunSucceeded)
    env.stack.append(output)
    add_event(env, HistoryEventType.MapStateSucceeded, source=False)
    env.event_history_context.source_event_id = started_id  # as recorded: the exit follows the run's start


def _begin(state: Any, env: Any, given: list[Any] | None) -> tuple[MapRun, Any]:
    """Return a new Map Run, and the id of its first event."""
    details = event_details(mapStateStartedEventDetails={"length": len(given or ())})
    run = _build_run(state, env, lambda: add_event(env, HistoryEventType.MapStateStarted, details))
    env.map_run_record_pool_manager.add(run)
    env.progress.map_run = run
    started = event_details(mapRunStartedEventDetails={"mapRunArn": run.map_run_arn})
    return run, add_event(env, HistoryEventType.MapRunStarted, started)


def _go_on(env: Any) -> tuple[MapRun, Any]:
    """Return the Map Run that a redrive goes on with, and the id of the event of that.

    Source: "Redriving Map Runs" of the developer guide: child executions that have not succeeded are redriven, Express
    ones started anew.
    """
    run: MapRun = env.progress.map_run
    run.redrive()
    redriven = event_details(
        mapRunRedrivenEventDetails={"mapRunArn": run.map_run_arn, "redriveCount": run.redrive_count}
    )
    return run, add_event(env, HistoryEventType.MapRunRedriven, redriven)


def _read_given_items(state: Any, env: Any) -> list[Any]:
    """Return the items of the state's input.

    Raises:
        FailureEventException: they are no array.
    """
    source = state.items_path or state.items
    if source is None:
        items = env.states.get_input()
    else:
        source.eval(env=env)
        items = env.stack.pop()
    if not isinstance(items, list):
        name = "States.QueryEvaluationError"
        raise _build_failure(env, name, f"Map state input must be an array but was: {type(items)}")
    return items


def _build_run(state: Any, env: Any, begin: Callable[[], Any]) -> MapRun:
    """Return the state's Map Run. ``begin`` is called before the tolerances are read, as on AWS.

    Raises:
        FailureEventException: a limit is no number, or out of range.
    """
    fields: MapFields = state.distributed
    state.max_concurrency_decl.eval(env=env)
    concurrency = env.stack.pop()
    begin()
    given = fields.tolerating.evaluate(env) if fields.tolerating is not None else {}
    count, share = given.get("ToleratedFailureCount"), given.get("ToleratedFailurePercentage")
    try:
        # A path may give a number as text.
        count, share = None if count is None else int(count), None if share is None else float(share)
    except (TypeError, ValueError) as error:
        raise _build_failure(
            env, "States.Runtime", f"a tolerated failure is not a number: {dump_json(given)}"
        ) from error
    if concurrency < 0 or (count or 0) < 0 or not 0 <= (share or 0) <= 100:
        raise _build_failure(env, "States.Runtime", "a limit of the Map state is out of range")
    parent = executions.find(env.states.context_object.context_object_data["Execution"]["Id"])
    label = state.label.label if state.label else None
    return MapRun(parent, label, max_concurrency=concurrency, tolerated_count=count, tolerated_percentage=share)


def _build_failure(env: Any, name: str, cause: str) -> FailureEventException:
    """Return the error of a Map Run; its event is none of a state, so a Map state's failure is recorded with it."""
    return FailureEventException(
        failure_event=FailureEvent(
            env=env,
            error_name=CustomErrorName(error_name=name),
            event_type=HistoryEventType.MapRunFailed,
            event_details=event_details(mapRunFailedEventDetails={"error": name, "cause": cause}),
        )
    )


class _MapWork:
    """The work of one Map Run."""

    def __init__(self, state: Any, env: Any, fields: MapFields, run: MapRun) -> None:
        self._env = env
        self._fields = fields
        self._run = run
        self._name = state.name
        self._parent = executions.find(run.execution_arn)
        self._first = True

    def run(self, given: list[Any] | None) -> Any:
        """Run all child executions and return the state's result.

        Raises:
            FailureEventException: items could not be read, too many failed, or results could not be written.
        """
        writing = self._fields.writing.evaluate(self._env) if self._fields.writing else None
        if self._run.results is None:
            self._run.results = Results(self._run, None if writing is None else writing["WriterConfig"])
        results: Results = self._run.results
        results.forget_failures()
        with ExitStack() as stack:
            stack.callback(self._end_children, "The Map Run has ended.")
            close_with(self._env, self._wake)
            inputs = self._open_inputs(stack, given)
            self._dispatch(inputs, results)
            if not self._env.is_running():
                raise AbandonedError
            failed = self._run.is_over_tolerance()
            if failed:
                for left in inputs:
                    results.add_pending(left.text)
            output = self._give(results, writing, failed=failed)
        if failed:
            cause = "The specified tolerated failure threshold was exceeded"
            raise _build_failure(self._env, TOLERANCE_EXCEEDED, cause)
        results.close()
        return output

    def _open_inputs(self, stack: ExitStack, given: list[Any] | None) -> Iterator[ChildInput]:
        """Return the inputs of child executions, read from a file that is closed with the stack."""
        try:
            items = self._iter_items() if given is None else given
            spool = stack.enter_context(spool_items(items))
            self._run.expect(spool.count)
            texts: Iterator[str] = spool.iter_texts()
            if self._fields.selecting is not None:
                # Selected before they are put into batches, whose size in bytes is that of what was selected.
                texts = self._select(texts)
            limits = read_limits(self._fields.batching.evaluate(self._env)) if self._fields.batching else None
        except ReadingError as error:
            raise _build_failure(self._env, READER_FAILED, str(error)) from error
        except BatchingError as error:
            raise _build_failure(self._env, "States.Runtime", str(error)) from error
        return self._guard(build_inputs(texts, limits))

    def _guard(self, inputs: Iterator[ChildInput]) -> Iterator[ChildInput]:
        try:
            yield from inputs
        except BatchingError as error:
            raise _build_failure(self._env, TOO_LARGE, str(error)) from error

    def _iter_items(self) -> Iterator[Any]:
        assert self._fields.reading is not None and self._fields.reader is not None  # noqa: S101 (for the type checker)
        reading = self._fields.reading.evaluate(self._env)
        return read_items(self._connect_s3(), self._fields.reader, reading["Arguments"], reading["ReaderConfig"])

    def _select(self, texts: Iterator[str]) -> Iterator[str]:
        assert self._fields.selecting is not None  # noqa: S101 (for the type checker)
        frame = self._env.open_inner_frame()
        frame.states.reset(input_value=self._env.states.get_input())
        try:
            for index, text in enumerate(texts):
                item = {"Index": index, "Value": json.loads(text)}
                frame.states.context_object.context_object_data["Map"] = {"Item": item}
                yield dump_json(self._fields.selecting.evaluate(frame)["ItemSelector"])
        finally:
            self._env.delete_frame(frame)

    def _connect_s3(self) -> Any:
        return create_client(self._parent.region_name, "s3", StateCredentials(role_arn=self._parent.role_arn))

    def _dispatch(self, inputs: Iterator[ChildInput], results: Results) -> None:
        """Run child executions, some at once, until there are no more, too many failed, or the execution is over."""
        changed = self._run.changed
        index = 0
        while self._wait_for_room() and (following := next(inputs, None)) is not None:
            if not results.has(index):
                self._run_child(index, following, results)
            index += 1
        with changed:
            while self._run.running and not self._is_over():
                changed.wait(1.0)
        self._end_children("The Map Run has ended.")

    def _run_child(self, index: int, given: ChildInput, results: Results) -> None:
        """Begin a child execution, or go on with the one that failed before a redrive."""
        failed = self._run.failures.pop(index, None)
        goes_on = failed is not None and can_go_on(failed)
        child = failed if goes_on else build_child(self._parent, self._run, self._fields, given.text)
        self._run.begin(child, given.items)
        record = partial(self._record_end, results, index, child, given.items)
        if goes_on:
            go_on_with(child)
            child.add_done_callback(record)
        else:
            child.add_done_callback(record)
            self._start(child)

    def _wait_for_room(self) -> bool:
        """Wait until one more child execution may run; return whether it still should."""
        with self._run.changed:
            while len(self._run.running) >= self._run.limit and not self._is_over():
                self._run.changed.wait(1.0)
            return not self._is_over()

    def _is_over(self) -> bool:
        return not self._env.is_running() or self._run.is_over_tolerance()

    def _start(self, child: Any) -> None:
        if not self._first:
            start_child(child)
            return
        self._first = False
        try:
            ask_to_start(self._parent, child)
        except (ClientError, BotoCoreError) as error:
            with self._run.changed:
                self._run.running.pop(child.exec_arn, None)
            name, cause = translate_optimised_error("states", error) or ("States.Runtime", str(error))
            raise _build_failure(self._env, name, cause) from error

    def _record_end(self, results: Results, index: int, child: Any, items: int) -> None:
        written = False
        try:
            results.add(index, child)
            written = self._fields.writes_objects
        finally:
            self._run.end(index, child, items, written=written)

    def _wake(self) -> None:
        with self._run.changed:
            self._run.changed.notify_all()

    def _end_children(self, cause: str) -> None:
        """Stop what is still running, and wait for its end."""
        with self._run.changed:
            left = list(self._run.running.values())
        for child in left:
            child.stop(stop_date=datetime.now(UTC), error=None, cause=cause)
        for child in left:
            child.finished.wait(executions.STOP_SECONDS)
        with self._run.changed:
            self._run.changed.wait_for(lambda: not self._run.running, executions.STOP_SECONDS)

    def _give(self, results: Results, writing: Json | None, *, failed: bool) -> Any:
        """Return the state's result: the outputs, or where they were written."""
        if self._fields.writes_objects and writing is not None:
            try:
                return results.write(self._connect_s3(), writing["Arguments"])
            except (ClientError, BotoCoreError) as error:
                raise _build_failure(self._env, WRITER_FAILED, str(error)) from error
        if failed:
            return None
        try:
            return results.read_output()
        except TooLargeError as error:
            cause = (
                f"The state/task '{self._name}' returned a result with a size exceeding the maximum number of bytes "
                "service limit."
            )
            raise _build_failure(self._env, TOO_LARGE, cause) from error
