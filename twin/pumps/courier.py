"""Hand events to SQS queues, Lambda functions and state machines, each with the rights EventBridge has there."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from twin.deploy.deployment import InvokePermission
from twin.pumps.delivery import Delivery, DeliveryFailed, DeliveryRefused

#: Errors that another attempt does not cure (EventBridge sends these to the dead-letter queue at once).
_FINAL = (
    "AccessDenied",
    "AccessDeniedException",
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
    "ValidationException",
    "InvalidParameterValue",
)

Connect = Callable[[str, str | None], Any]
"""A boto3 client of a service with a role's credentials, or the administrator's for None."""

ServiceMay = Callable[[str, str, str, Mapping[str, str]], str | None]
"""May a service principal do an action on a resource, in a context? None, or why not."""

InvokeAsync = Callable[[str, bytes], object]


class AwsCourier:
    """Delivers through the local AWS. A role's rights are checked by the front, a service's by `service_may`."""

    def __init__(
        self,
        connect: Connect,
        service_may: ServiceMay,
        invoke_async: InvokeAsync,
        permissions: Iterable[InvokePermission],
    ) -> None:
        self._connect, self._service_may, self._invoke_async = connect, service_may, invoke_async
        self._permissions = tuple(permissions)

    def send(self, delivery: Delivery) -> None:
        """Send a delivery to its target.

        Raises:
            DeliveryFailed: worth another attempt.
            DeliveryRefused: not worth one.
        """
        service = delivery.target.arn.split(":")[2]
        senders = {"sqs": self._to_queue, "lambda": self._to_function, "states": self._to_machine}
        if service not in senders:
            raise DeliveryRefused("UnsupportedTarget", delivery.target.arn)
        _translate(lambda: senders[service](delivery))

    def send_to_dlq(self, delivery: Delivery, error: DeliveryFailed) -> None:
        """Put a delivery into the dead-letter queue with EventBridge's message attributes.

        Raises:
            DeliveryFailed: the queue refused it.
        """
        arn = delivery.target.dead_letter_arn or ""
        attributes = {
            "RULE_ARN": delivery.source_arn,
            "TARGET_ARN": delivery.target.arn,
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": error.message or error.code,
        }
        self._check(delivery, "sqs:SendMessage", arn)
        typed = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        client = self._connect("sqs", None)
        _translate(
            lambda: client.send_message(
                QueueUrl=_queue_url(client, arn), MessageBody=delivery.body, MessageAttributes=typed
            )
        )

    def _to_queue(self, delivery: Delivery) -> None:
        target = delivery.target
        if target.role_arn is None:
            self._check(delivery, "sqs:SendMessage", target.arn)
        client = self._connect("sqs", target.role_arn)
        group = {"MessageGroupId": target.message_group_id} if target.message_group_id else {}
        client.send_message(QueueUrl=_queue_url(client, target.arn), MessageBody=delivery.body, **group)

    def _to_function(self, delivery: Delivery) -> None:
        target = delivery.target
        if target.role_arn is not None:
            client = self._connect("lambda", target.role_arn)
            client.invoke(FunctionName=target.arn, InvocationType="Event", Payload=delivery.body.encode())
            return
        self._check_function(delivery)
        self._invoke_async(target.arn, delivery.body.encode())

    def _to_machine(self, delivery: Delivery) -> None:
        target = delivery.target
        if target.role_arn is None:
            raise DeliveryRefused("AccessDeniedException", "a state machine target needs a role")
        # The same event to the same target has the same name: a retry does not start a second execution.
        digest = hashlib.sha256(f"{delivery.source_arn}/{target.id}".encode()).hexdigest()[:16]
        client = self._connect("stepfunctions", target.role_arn)
        name = f"{delivery.event_id}_{digest}"
        client.start_execution(stateMachineArn=target.arn, name=name, input=delivery.body)

    def _check(self, delivery: Delivery, action: str, resource: str) -> None:
        account = resource.split(":")[4]
        context = {"aws:SourceArn": delivery.source_arn, "aws:SourceAccount": account}
        refusal = self._service_may(delivery.service, action, resource, context)
        if refusal is not None:
            raise DeliveryRefused("AccessDenied", refusal)

    def _check_function(self, delivery: Delivery) -> None:
        name, _, qualifier = delivery.target.arn.split(":function:", 1)[-1].partition(":")
        for one in self._permissions:
            if (
                one.function == name
                and (one.qualifier or "") == qualifier
                and one.principal == delivery.service
                and (one.source_arn is None or fnmatchcase(delivery.source_arn, one.source_arn))
            ):
                return
        reason = f"no permission of {delivery.target.arn} lets {delivery.service} invoke it for {delivery.source_arn}"
        raise DeliveryRefused("AccessDeniedException", reason)


def _queue_url(client: Any, arn: str) -> str:
    account, name = arn.split(":")[4:6]
    # Made from the endpoint: GetQueueUrl is a right of its own that EventBridge does not need.
    return f"{client.meta.endpoint_url.rstrip('/')}/{account}/{name}"


def _translate(call: Callable[[], object]) -> None:
    try:
        call()
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "Unknown")
        if code == "ExecutionAlreadyExists":
            return
        kind = DeliveryRefused if code in _FINAL else DeliveryFailed
        raise kind(code, str(error)) from error
    except BotoCoreError as error:
        raise DeliveryFailed(type(error).__name__, str(error)) from error
