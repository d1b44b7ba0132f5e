"""Every recorded case: how it is run, or why it is not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.twin.machine import recorded

Change = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Case:
    """How a recorded case is run.

    Attributes:
        definition: Path of a template without its suffix, or a definition.
        function: Name of a handler in `handlers`; the function is called like it.
        data: The execution's input; `FUNCTION`, `FUNCTION_ARN`, `QUEUE`, `TOPIC` and `MACHINE` are replaced.
        resource: State whose `Resource` becomes the function's ARN.
        target: Definition of the machine that is called `MACHINE`.
        answer: What is done with a task token that arrives in the queue: success, heartbeats, failure.
        change: Applied to the definition.
        items: JSON of the object `file.json` in the bucket that is called `BUCKET`.
    """

    definition: str | dict[str, Any]
    function: str | None = None
    data: Any = field(default_factory=dict)
    resource: str | None = None
    target: dict[str, Any] | None = None
    answer: str | None = None
    change: Change | None = None
    items: list[dict[str, str]] | None = None


_PASS: dict[str, Any] = {
    "StartAt": "State_1",
    "States": {"State_1": {"Type": "Pass", "Result": {"Arg1": "argument1"}, "End": True}},
}
_FAIL: dict[str, Any] = {
    "StartAt": "Fail",
    "States": {
        "Fail": {
            "Type": "Fail",
            "Error": "SomeFailure",
            "Cause": "This state machines raises a 'SomeFailure' failure.",
        }
    },
}
_SLOW: dict[str, Any] = {
    "StartAt": "Start",
    "States": {"Start": {"Type": "Task", "Resource": "FUNCTION_ARN", "TimeoutSeconds": 1, "End": True}},
}


def _heartbeat(seconds: int | str) -> dict[str, Any]:
    beat = {"HeartbeatSecondsPath": seconds} if isinstance(seconds, str) else {"HeartbeatSeconds": seconds}
    return {
        "StartAt": "SendMessageWithWait",
        "States": {
            "SendMessageWithWait": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                "TimeoutSeconds": 600,
                **beat,
                "Parameters": {
                    "QueueUrl.$": "$.QueueUrl",
                    "MessageBody": {"Message.$": "$.Message", "TaskToken.$": "$$.Task.Token"},
                },
                "End": True,
            }
        },
    }


_INPUT = {"input_value": "string literal", "input_values": [1, 2, 3]}
_MESSAGE = {"QueueUrl": "QUEUE", "Message": "test_message_txt"}
_NULL_PAYLOAD = {"FunctionName": "FUNCTION", "Payload": None}


def _child(payload: Any) -> dict[str, Any]:
    return {"StateMachineArn": "MACHINE", "Input": payload, "Name": "TestStartTarget"}


def _catch_custom(definition: dict[str, Any]) -> None:
    definition["States"]["InvokeLambda"]["Catch"][0]["ErrorEquals"] = ["CustomException"]


def _output(value: Any) -> Change:
    def change(definition: dict[str, Any]) -> None:
        definition["States"]["State0"]["Output"] = value

    return change


_ARGUMENTS = {
    f"test_arguments::test_base_cases[{name}]": Case(
        f"arguments/{path}", function="identity", data=_INPUT, resource="State0"
    )
    for name, path in (
        ("BASE_LAMBDA_EMPTY", "base_lambda_empty"),
        ("BASE_LAMBDA_LITERALS", "base_lambda_literals"),
        ("BASE_LAMBDA_EXPRESSION", "base_lambda_expressions"),
        ("BASE_LAMBDA_EMPTY_GLOBAL_QL_JSONATA", "base_lambda_empty_global_ql_jsonata"),
    )
}

_REFERENCES = {
    f"test_assign_reference_variables::{test}[{name}]": Case(f"assign/{name.lower()}")
    for test, names in (
        (
            "test_reference_assign",
            "BASE_REFERENCE_IN_PARAMETERS BASE_REFERENCE_IN_CHOICE BASE_REFERENCE_IN_ITERATOR_OUTER_SCOPE "
            "BASE_REFERENCE_IN_INPUTPATH BASE_REFERENCE_IN_OUTPUTPATH BASE_REFERENCE_IN_INTRINSIC_FUNCTION "
            "BASE_REFERENCE_IN_WAIT BASE_REFERENCE_IN_FAIL",
        ),
        (
            "test_assign_from_value",
            "BASE_ASSIGN_FROM_PARAMETERS BASE_ASSIGN_FROM_RESULT BASE_ASSIGN_FROM_INTRINSIC_FUNCTION",
        ),
        ("test_state_assign_evaluation_order", "BASE_EVALUATION_ORDER_PASS_STATE"),
        (
            "test_reference_in_map_state",
            "MAP_STATE_REFERENCE_IN_INTRINSIC_FUNCTION MAP_STATE_REFERENCE_IN_ITEMS_PATH "
            "MAP_STATE_REFERENCE_IN_MAX_CONCURRENCY_PATH MAP_STATE_REFERENCE_IN_TOLERATED_FAILURE_PATH "
            "MAP_STATE_REFERENCE_IN_ITEM_SELECTOR",
        ),
        (
            "test_undefined_reference",
            "BASE_UNDEFINED_OUTPUT BASE_UNDEFINED_OUTPUT_FIELD BASE_UNDEFINED_OUTPUT_MULTIPLE_STATES "
            "BASE_UNDEFINED_ASSIGN BASE_UNDEFINED_ARGUMENTS BASE_UNDEFINED_ARGUMENTS_FIELD",
        ),
    )
    for name in names.split()
}

_ASSIGN = {
    f"test_assign_reference_variables::{name}": case
    for name, case in {
        "test_assign_in_choice_state[CORRECT]": Case("assign/base_assign_in_choice", data={"input_value": "42"}),
        "test_assign_in_choice_state[INCORRECT]": Case("assign/base_assign_in_choice", data={"input_value": "0"}),
        "test_assign_in_wait_state": Case("assign/base_assign_in_wait"),
        "test_assign_in_catch_state": Case(
            "assign/base_assign_in_catch", function="raise_exception", data={"input_value": "FUNCTION_ARN"}
        ),
        "test_variables_in_lambda_task[BASE_ASSIGN_FROM_LAMBDA_TASK_RESULT]": Case(
            "assign/base_assign_from_lambda_task_result",
            function="bytes",
            data={"FunctionName": "FUNCTION_ARN", "AccountID": "123456789012"},
        ),
    }.items()
}

_CALLBACKS = {
    f"test_callback::{name}": case
    for name, case in {
        "test_sqs_wait_for_task_token": Case("callbacks/sqs_wait_for_task_token", data=_MESSAGE, answer="success"),
        "test_sqs_wait_for_task_token_timeout": Case("callbacks/sqs_wait_for_task_token_with_timeout", data=_MESSAGE),
        "test_sqs_failure_in_wait_for_task_token": Case(
            "callbacks/sqs_wait_for_task_token", data=_MESSAGE, answer="failure"
        ),
        "test_sqs_wait_for_task_tok_with_heartbeat": Case(_heartbeat(60), data=_MESSAGE, answer="heartbeat"),
        "test_multiple_heartbeat_notifications": Case(
            _heartbeat("$.HeartbeatSecondsPath"),
            data={"QueueUrl": "QUEUE", "Message": "txt", "HeartbeatSecondsPath": 120},
            answer="heartbeats and body",
        ),
        "test_multiple_executions_and_heartbeat_notifications": Case(
            _heartbeat("$.HeartbeatSecondsPath"),
            data={"QueueUrl": "QUEUE", "Message": "txt", "HeartbeatSecondsPath": 120},
            answer="heartbeats and body",
        ),
        "test_sqs_wait_for_task_token_call_chain": Case(
            "callbacks/sqs_wait_for_task_token_call_chain",
            data={"QueueUrl": "QUEUE", "Message": "HelloWorld"},
            answer="success",
        ),
        "test_sqs_wait_for_task_token_no_token_parameter": Case(
            "callbacks/sqs_wait_for_task_token_no_token_parameter", data={"QueueUrl": "QUEUE"}
        ),
        "test_sqs_failure_in_wait_for_task_tok_no_error_field[SQS_PARALLEL_WAIT_FOR_TASK_TOKEN]": Case(
            "callbacks/sqs_parallel_wait_for_task_token", data=_MESSAGE, answer="empty failure"
        ),
        "test_sqs_failure_in_wait_for_task_tok_no_error_field[SQS_WAIT_FOR_TASK_TOKEN_CATCH]": Case(
            "callbacks/sqs_wait_for_task_token_catch", data=_MESSAGE, answer="empty failure"
        ),
        "test_sns_publish_wait_for_task_token": Case(
            "callbacks/sns_publish_wait_for_task_token",
            data={"TopicArn": "TOPIC", "body": {"arg1": "Hello", "arg2": "World"}},
            answer="notified",
        ),
        "test_start_execution_sync": Case("callbacks/sfn_start_execution_sync", data=_child(None), target=_PASS),
        "test_start_execution_sync2": Case("callbacks/sfn_start_execution_sync2", data=_child(None), target=_PASS),
        "test_start_execution_sync_delegate_failure": Case(
            "callbacks/sfn_start_execution_sync", data=_child(None), target=_FAIL
        ),
        "test_start_execution_sync_delegate_timeout": Case(
            "callbacks/sfn_start_execution_sync", function="slow", data=_child({"Payload": None}), target=_SLOW
        ),
        "test_sync_with_task_token": Case(
            "callbacks/sfn_start_execution_sync_with_task_token",
            data={"StateMachineArn": "MACHINE", "Name": "TestStartTarget", "QueueUrl": "QUEUE"},
            target={
                "StartAt": "Send",
                "States": {
                    "Send": {
                        "Type": "Task",
                        "Resource": "arn:aws:states:::sqs:sendMessage",
                        "Parameters": {
                            "QueueUrl.$": "$.QueueUrl",
                            "MessageBody": {"Message": "SQS_SEND_MESSAGE_AND_WAIT", "TaskToken.$": "$.TaskToken"},
                        },
                        "Next": "Wait",
                    },
                    "Wait": {"Type": "Wait", "Seconds": 6000, "End": True},
                },
            },
            answer="success",
        ),
    }.items()
}

_LAMBDA_SERVICE = {
    "test_lambda_task_service::test_invoke": Case("services/lambda_invoke", function="identity", data=_NULL_PAYLOAD),
    "test_lambda_task_service::test_invoke_unsupported_param": Case(
        "services/lambda_invoke_log_type", function="identity", data={**_NULL_PAYLOAD, "LogType": "Tail"}
    ),
    "test_lambda_task_service::test_invoke_bytes_payload": Case(
        "services/lambda_invoke",
        function="bytes",
        data={"FunctionName": "FUNCTION", "Payload": "\"'{'Hello':'World'}'\""},
    ),
} | {
    f"test_lambda_task_service::test_invoke_json_values[{name}]": Case(
        "services/lambda_invoke", function="identity", data={"FunctionName": "FUNCTION", "Payload": payload}
    )
    for name, payload in (
        ("None", "null"),
        ("HelloWorld", '"HelloWorld"'),
        ("0.0", "0.0"),
        ("0_0", "0"),
        ("0_1", "0"),
        ("True", "true"),
        ("json_value5", "{}"),
        ("json_value6", "[]"),
        ("json_value7", "[]"),
    )
}

_RICH: list[Any] = [
    None,
    0,
    0.1,
    True,
    "string",
    [],
    "$nosuchvar",
    "$.no.such.path",
    "{% $states.input %}",
    {"key": "{% true %}"},
]
_OUTPUT = {
    f"test_output::{name}": case
    for name, case in {
        "test_base_cases[BASE_EMPTY]": Case("outputdecl/base_empty", data=_INPUT),
        "test_base_cases[BASE_LITERALS]": Case("outputdecl/base_literals", data=_INPUT),
        "test_base_cases[BASE_EXPR]": Case("outputdecl/base_expr", data=_INPUT),
        "test_base_cases[BASE_DIRECT_EXPR]": Case("outputdecl/base_direct_expr", data=_INPUT),
        "test_base_lambda[BASE_LAMBDA]": Case(
            "outputdecl/base_lambda", function="identity", data=_INPUT, resource="State0"
        ),
        "test_base_task_lambda[BASE_TASK_LAMBDA]": Case(
            "outputdecl/base_task_lambda", function="identity", data={"FunctionName": "FUNCTION", "Payload": _INPUT}
        ),
        "test_output_in_choice[CONDITION_TRUE]": Case("outputdecl/choice_condition_jsonata", data={"condition": True}),
        "test_output_in_choice[CONDITION_FALSE]": Case(
            "outputdecl/choice_condition_jsonata", data={"condition": False}
        ),
    }.items()
} | {
    f"test_output::test_base_output_any_non_dict[{name}]": Case(
        "outputdecl/base_output_any", data={"input_value": "stringliteral"}, change=_output(value)
    )
    for name, value in (
        ("NULL", None),
        ("INT", 0),
        ("FLOAT", 0.1),
        ("BOOL", True),
        ("STR_LIT", "string literal"),
        ("JSONATA_EXPR", "{% $states.input %}"),
        ("LIST_EMPY", []),
        ("LIST_RICH", _RICH),
    )
}

_STARTS = {
    "test_sfn_task_service::test_start_execution": Case(
        "services/sfn_start_execution", data=_child(None), target=_PASS
    ),
    "test_sfn_task_service::test_start_execution_input_json": Case(
        "services/sfn_start_execution", data=_child({"Hello": "World"}), target=_PASS
    ),
}

_FUNCTION_ERRORS = {
    f"test_task_lambda::{name}": Case(
        f"errorhandling/{path}",
        function=function,
        data={"FunctionName": "no_such_FUNCTION" if "no_such" in name else "FUNCTION", "Payload": None},
        resource=resource,
        change=change,
    )
    for name, path, function, resource, change in (
        ("test_raise_exception", "task_lambda_invoke_catch_unknown", "raise_exception", "Start", None),
        ("test_raise_exception_catch", "task_lambda_invoke_catch_relevant", "raise_exception", "Start", None),
        ("test_no_such_function", "task_lambda_invoke_catch_unknown", "raise_exception", "Start", None),
        ("test_no_such_function_catch", "task_lambda_invoke_catch_relevant", "raise_exception", "Start", None),
        ("test_raise_custom_exception", "task_lambda_invoke_catch_tbd", "raise_custom", "InvokeLambda", _catch_custom),
    )
}

_STATEMENTS = [
    dict(zip(("verdict", "statement_date", "statement_source"), values.split(), strict=True))
    for values in (
        "true 6/11/2008 speech",
        "false 6/7/2022 television",
        "mostly-true 5/18/2016 news",
        "false 5/18/2024 x",
    )
]
_READ_ITEMS = {
    f"test_assign_reference_variables::test_reference_in_map_state_max_items_path[MAP_STATE_REFERENCE_IN_{name}]": Case(
        f"assign/map_state_reference_in_{name.lower()}",
        data={"Bucket": "BUCKET", "Key": "file.json"},
        items=_STATEMENTS,
    )
    for name in ("MAX_ITEMS_PATH", "MAX_PER_BATCH_PATH")
}

RUN: dict[str, Case] = {
    **_ARGUMENTS,
    **_REFERENCES,
    **_ASSIGN,
    **_CALLBACKS,
    **_LAMBDA_SERVICE,
    **_OUTPUT,
    **_STARTS,
    **_FUNCTION_ERRORS,
    **_READ_ITEMS,
}

DIFFERENCES: dict[str, list[str]] = {}
"""Known differences, exactly."""

_MAPPING = "an SQS event source mapping, not a state machine: tests/twin/pumps/test_queue_mappings.py has its rules"
_MAPPING_CASES: dict[str, str] = {
    "test_failing_lambda_retries_after_visibility_timeout": "",
    "test_redrive_policy_with_failing_lambda": "",
    "test_sqs_queue_as_lambda_dead_letter_queue": "",
    "test_report_batch_item_failures": "",
    "test_report_batch_item_failures_on_lambda_error": "",
    "test_report_batch_item_failures_invalid_result_json_batch_fails": "",
    "test_report_batch_item_failures_empty_json_batch_succeeds": "",
    "test_event_source_mapping_default_batch_size": "",
    "test_sqs_event_source_mapping": "",
    "test_sqs_event_filter": (
        "filter0-item_matching0-item_not_matching0|filter1-item_matching1-item_not_matching1|"
        "filter2-item_matching2-item_not_matching2|filter3-item_matching3-item_not_matching3|"
        "filter4-item_matching4-this is a test string|filter5-item_matching5-item_not_matching5|"
        "filter6-item_matching6-item_not_matching6|filter7-item_matching7-item_not_matching7|single-filter|"
        "or-filter|and-filter|exists-filter|numeric-bigger|numeric-smaller|numeric-range|numeric-prefix|"
        "single|or|and|exists|plain-string-matching|plain-string-filter|valid-json-filter|prefix"
    ),
    "test_sqs_invalid_event_filter": "None|simple string|invalid_filter2|invalid_filter3",
    "test_message_body_and_attributes_passed_correctly": "",
    "test_sqs_event_source_mapping_update": "",
    "test_duplicate_event_source_mappings": "",
    "test_fifo_message_group_parallelism": "",
    "test_sqs_event_source_mapping_batch_size": "15|100|1000|10000",
    "test_sqs_event_source_mapping_batching_reserved_concurrency": "",
    "test_sqs_event_source_mapping_batching_behaviour": "100",
    "test_esm_with_not_existing_sqs_queue": "",
}
"""Tests by function, the names of their parameters separated by a bar."""

NOT_RUN: dict[str, str] = {
    "test_lambda_task_service::test_list_functions": "the recording is empty: AWS refused the definition",
    "test_assign_reference_variables::test_variables_in_lambda_task[BASE_REFERENCE_IN_LAMBDA_TASK_FIELDS]": (
        "Credentials that assume another account's role: the stack has one account, and the front owns sts:AssumeRole"
    ),
    **{
        f"test_lambda_integration_sqs::{test}{f'[{name}]' if name else ''}": _MAPPING
        for test, names in _MAPPING_CASES.items()
        for name in names.split("|")
    },
}
"""Cases that are not run, each with its reason."""


FEATURES: dict[str, str] = {
    "test_arguments": "JSONata: Arguments",
    "test_output": "JSONata: Output",
    "test_assign_reference_variables": "variables: Assign and references",
    "test_callback": "task tokens, heartbeats, nested executions",
    "test_lambda_task_service": "lambda:invoke",
    "test_task_lambda": "errors of functions: Catch and Retry",
    "test_sfn_task_service": "states:startExecution",
    "test_lambda_integration_sqs": "SQS event source mappings",
}
"""What the recordings of a file are about."""


def unlisted() -> list[str]:
    """Return recorded cases that are neither run nor listed."""
    return [case_id for case_id in recorded.case_ids() if case_id not in RUN and case_id not in NOT_RUN]


def unrecorded() -> list[str]:
    """Return listed cases of which nothing is recorded."""
    known = set(recorded.case_ids())
    return [case_id for case_id in (*RUN, *NOT_RUN, *DIFFERENCES) if case_id not in known]
