"""A queue that a function works off: filled by rules of EventBridge, with a dead-letter queue behind it."""

from aws_cdk import Duration, Names
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.components import grants, storage
from infra.components.build import Build

_CONSUME = (
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",  # to postpone a message that failed: `pentad.aws.redelivery`
)


class WorkQueue:
    """The two queues, the rules that fill the first, and the function that empties it.

    It is no construct of its own: its queues and rules stand in the scope that it is made in.

    Attributes:
        queue: what waits.
        dead: what was delivered too often, or did not reach the queue.
    """

    def __init__(self, scope: Construct, name: str, *, build: Build, timeout_seconds: int, receives: int) -> None:
        """Make the queues.

        Args:
            scope: the parent.
            name: of the queue, behind the stage's prefix.
            build: the surroundings.
            timeout_seconds: the function's time limit. A message is hidden for six times as long, as Lambda's
                documentation asks for event source mappings.
            receives: deliveries before a message goes to the dead-letter queue.
        """
        self._scope = scope
        self._prefix = build.stage.prefix
        self.queue, self.dead = storage.create_queue_with_dlq(
            scope,
            name,
            prefix=self._prefix,
            key=build.stores.data_key,
            visibility_seconds=6 * timeout_seconds,
            receives=receives,
        )

    def create_alarm(self, name: str, *, alarm: str, says: str, page: str) -> None:
        """Raise an alarm as soon as a message is in the dead-letter queue.

        Args:
            name: of the construct, in the scope of the queues.
            alarm: its name, behind the stage's prefix.
            says: what has happened.
            page: where it says what to do.
        """
        cloudwatch.Alarm(
            self._scope,
            name,
            alarm_name=f"{self._prefix}-{alarm}",
            alarm_description=f"{says}. What to do: {page}",
            metric=self.dead.metric_approximate_number_of_messages_visible(statistic="Maximum"),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def add_rule(
        self,
        name: str,
        *,
        rule: str,
        description: str,
        pattern: events.EventPattern,
        bus: events.IEventBus | None = None,
    ) -> None:
        """Put the events that match a pattern into the queue.

        Args:
            name: the construct's id.
            rule: the rule's name, behind the stage's prefix.
            description: for the console.
            pattern: which events.
            bus: where they are; AWS's own bus where None.
        """
        events.Rule(
            self._scope,
            name,
            rule_name=f"{self._prefix}-{rule}",
            description=description,
            event_bus=bus,
            event_pattern=pattern,
            targets=[targets.SqsQueue(self.queue, dead_letter_queue=self.dead)],
        )

    def grant_send_again(self, function: lambda_.Function) -> None:
        """Let the function that works the queue off put a message at its end again."""
        _grant_send(function, self.queue)

    def keep_failed_events(self, function: lambda_.Function, *, retries: int) -> None:
        """Keep the events in the dead-letter queue that a function could not take when it was invoked asynchronously.

        Args:
            function: Lambda sends them there with its role.
            retries: Lambda's own, of an event.
        """
        config = lambda_.CfnEventInvokeConfig(
            self._scope,
            "failed-events",
            function_name=function.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=retries,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=self.dead.queue_arn)
            ),
        )
        # Not by CDK's own destination: that grants kms:ReEncrypt* and kms:GenerateDataKey* with it.
        _grant_send(function, self.dead)
        if function.role is not None:
            config.node.add_dependency(function.role)  # Lambda asks for the right when the destination is set.

    def connect_to(self, function: lambda_.Function, *, batch_size: int, concurrency: int) -> None:
        """Let a function work the queue off.

        Args:
            function: it reports the messages of a batch that failed.
            batch_size: the most messages of one invocation.
            concurrency: the most invocations at once (at least 2: Lambda's minimum).
        """
        # By hand, as SqsEventSource would but for its grant of the key, which has no condition. The name is the same.
        function.add_event_source_mapping(
            f"SqsEventSource:{Names.node_unique_id(self.queue.node)}",
            event_source_arn=self.queue.queue_arn,
            batch_size=batch_size,
            max_batching_window=Duration.seconds(0),
            max_concurrency=concurrency,
            report_batch_item_failures=True,
        )
        function.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(actions=list(_CONSUME), resources=[self.queue.queue_arn])
        )
        if self.queue.encryption_master_key is not None:
            # Bound to the service alone: `aws:sqs:arn` is in many public policies, and in no page of AWS that we found.
            grants.grant_key_through(function, self.queue.encryption_master_key, "sqs", ["kms:Decrypt"])


def _grant_send(function: lambda_.Function, queue: sqs.IQueue) -> None:
    function.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[queue.queue_arn])
    )
    if queue.encryption_master_key is not None:
        # To send, SQS asks for the rights to encrypt and to decrypt.
        grants.grant_key_through(function, queue.encryption_master_key, "sqs")
