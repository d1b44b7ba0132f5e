"""Tables, buckets and queues as this project wants every one of them: encrypted by the customer's key, recoverable."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.config import Stage
from infra.locks import AuditLock

_STRING = dynamodb.AttributeType.STRING


def create_table(scope: Construct, name: str, *, stage: Stage, key: kms.IKey, indexed: bool) -> dynamodb.Table:
    """Return a table with pk and sk, on demand, TTL on ``ttl``; ``indexed`` adds gsi1.

    Not TableV2: it can't be encrypted by a customer's key in a stack that names no region.
    """
    made = dynamodb.Table(
        scope,
        name,
        partition_key=dynamodb.Attribute(name="pk", type=_STRING),
        sort_key=dynamodb.Attribute(name="sk", type=_STRING),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        time_to_live_attribute="ttl",
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True, recovery_period_in_days=stage.retention.backup_days
        ),
        deletion_protection=stage.deletion_protection,
        # A protected table cannot be deleted by a roll back either, which would fail. Its name is made up: an empty one
        # that a failed first deployment leaves behind is in nobody's way.
        removal_policy=RemovalPolicy.RETAIN if stage.deletion_protection else stage.removal,
    )
    if indexed:
        made.add_global_secondary_index(
            index_name="gsi1",
            partition_key=dynamodb.Attribute(name="gsi1pk", type=_STRING),
            sort_key=dynamodb.Attribute(name="gsi1sk", type=_STRING),
            projection_type=dynamodb.ProjectionType.ALL,
        )
    return made


def create_bucket(
    scope: Construct,
    name: str,
    *,
    stage: Stage,
    key: kms.IKey,
    logs: s3.IBucket | None,
    expire_prefixes: dict[str, int],
    announces: bool,
    lock: AuditLock | None = None,
) -> s3.Bucket:
    """Return a private, versioned bucket.

    Args:
        scope: the parent.
        name: the construct's id.
        stage: the stage.
        key: the customer's key.
        logs: where access logs go; None for the bucket that holds them.
        expire_prefixes: prefix to days after which objects below it are deleted.
        announces: tell EventBridge of objects that come and go.
        lock: how long nobody may change or delete a version; None for no lock.
    """
    made = s3.Bucket(
        scope,
        name,
        encryption=s3.BucketEncryption.S3_MANAGED if logs is None else s3.BucketEncryption.KMS,
        encryption_key=None if logs is None else key,
        bucket_key_enabled=None if logs is None else True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        versioned=logs is not None,
        server_access_logs_bucket=logs,
        server_access_logs_prefix=f"{name}/" if logs is not None else None,
        # CloudFormation cannot delete a bucket that holds objects, and deleting the stack would fail. What is in it is
        # lost all the same where the key goes with the stack.
        removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        lifecycle_rules=_build_lifecycle_rules(expire_prefixes, stage.retention.old_versions_days),
        object_lock_enabled=None if lock is None else True,
        object_lock_default_retention=None if lock is None else _build_retention(lock),
    )
    if announces:
        _announce_objects(made)
    return made


def _build_retention(lock: AuditLock) -> s3.ObjectLockRetention:
    length = Duration.days(lock.days)
    return (
        s3.ObjectLockRetention.compliance(length)
        if lock.mode == "compliance"
        else s3.ObjectLockRetention.governance(length)
    )


def _build_lifecycle_rules(expire_prefixes: dict[str, int], old_days: int) -> list[s3.LifecycleRule]:
    return [
        s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(7)),
        s3.LifecycleRule(noncurrent_version_expiration=Duration.days(old_days)),
        *(s3.LifecycleRule(prefix=prefix, expiration=Duration.days(days)) for prefix, days in expire_prefixes.items()),
    ]


def _announce_objects(bucket: s3.Bucket) -> None:
    """Tell EventBridge of the bucket's objects.

    The L2 property brings a custom resource with a function of its own; CloudFormation has the property itself.
    """
    plain = bucket.node.default_child
    assert isinstance(plain, s3.CfnBucket)  # noqa: S101 - narrows jsii's type
    plain.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
    )


def create_queue_with_dlq(
    scope: Construct, name: str, *, prefix: str, key: kms.IKey, visibility_seconds: int, receives: int
) -> tuple[sqs.Queue, sqs.Queue]:
    """Return a queue and its dead-letter queue.

    Args:
        scope: the parent.
        name: of the queue, behind the prefix.
        prefix: of names in the account.
        key: the customer's key.
        visibility_seconds: how long a message is hidden while it is worked on: six times the consumer's timeout, as
            Lambda's documentation asks for event source mappings.
        receives: deliveries before a message goes to the dead-letter queue.
    """
    dead = create_dlq(scope, f"{name}-dlq", prefix=prefix, key=key)
    made = sqs.Queue(
        scope,
        f"queue-{name}",
        queue_name=f"{prefix}-{name}",
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        enforce_ssl=True,
        visibility_timeout=Duration.seconds(visibility_seconds),
        retention_period=Duration.days(4),
        dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=receives),
        removal_policy=RemovalPolicy.DESTROY,
    )
    return made, dead


def create_dlq(scope: Construct, name: str, *, prefix: str, key: kms.IKey) -> sqs.Queue:
    """Return a queue that keeps what went wrong for 14 days, the longest that SQS allows."""
    return sqs.Queue(
        scope,
        f"queue-{name}",
        queue_name=f"{prefix}-{name}",
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        enforce_ssl=True,
        retention_period=Duration.days(14),
        removal_policy=RemovalPolicy.DESTROY,
    )


def grant_key_to_service(key: kms.Key, service: str) -> None:
    """Let an AWS service encrypt to resources of this account that use the key."""
    key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(service)],
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=["*"],  # in a key policy "*" is the key itself
        )
    )
