"""S3 buckets and bucket policies."""

from collections.abc import Callable
from typing import Any

from twin.deploy.registry import COST, TAGS, Created, JsonObject, Resource, as_json, register_resource


@register_resource(
    "AWS::S3::Bucket",
    handled={
        "BucketName",
        "BucketEncryption",
        "VersioningConfiguration",
        "LifecycleConfiguration",
        "PublicAccessBlockConfiguration",
        "CorsConfiguration",
        "NotificationConfiguration",
        "OwnershipControls",
        "ObjectLockEnabled",
        "ObjectLockConfiguration",
    },
    ignored={
        "LoggingConfiguration": "there is no log delivery: the front counts every request",
        "Tags": TAGS,
        "IntelligentTieringConfigurations": COST,
        "AccelerateConfiguration": COST,
    },
)
def create_bucket(target: Resource, properties: JsonObject) -> Created:
    """Create a bucket and configure it."""
    client, region = target.get_client("s3"), target.place.region
    name = properties.get("BucketName") or target.physical_name(limit=63, lower=True)
    request: dict[str, Any] = {"Bucket": name}
    if region != "us-east-1":
        request["CreateBucketConfiguration"] = {"LocationConstraint": region}
    if properties.get("ObjectLockEnabled"):
        request["ObjectLockEnabledForBucket"] = True
    client.create_bucket(**request)
    _configure_security(target, client, name, properties)
    _configure_management(client, name, properties)
    notifications = properties.get("NotificationConfiguration")
    if notifications is not None:
        _configure_notifications(target, client, name, notifications)
    domain = f"{name}.s3.amazonaws.com"
    arn = f"arn:{target.place.partition}:s3:::{name}"
    regional = f"{name}.s3.{region}.amazonaws.com"
    return Created(name, {"Arn": arn, "DomainName": domain, "RegionalDomainName": regional})


def _configure_security(target: Resource, client: Any, name: str, properties: JsonObject) -> None:
    if "BucketEncryption" in properties:
        rules = []
        for rule in properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]:
            allowed = {"ServerSideEncryptionByDefault", "BucketKeyEnabled", "BlockedEncryptionTypes"}
            target.check_keys("BucketEncryption", rule, allowed)
            renamed = {key: rule[key] for key in ("BucketKeyEnabled",) if key in rule}
            renamed["ApplyServerSideEncryptionByDefault"] = rule["ServerSideEncryptionByDefault"]
            rules.append(renamed)
        client.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
    if "PublicAccessBlockConfiguration" in properties:
        block = properties["PublicAccessBlockConfiguration"]
        client.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
    if "OwnershipControls" in properties:
        client.put_bucket_ownership_controls(Bucket=name, OwnershipControls=properties["OwnershipControls"])


def _configure_management(client: Any, name: str, properties: JsonObject) -> None:
    if "VersioningConfiguration" in properties:
        versioning = properties["VersioningConfiguration"]
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
    if "ObjectLockConfiguration" in properties:
        lock = properties["ObjectLockConfiguration"]
        client.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=lock)
    if "LifecycleConfiguration" in properties:
        rules = [_convert_lifecycle_rule(rule) for rule in properties["LifecycleConfiguration"]["Rules"]]
        client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    if "CorsConfiguration" in properties:
        cors = {"CORSRules": [_convert_cors_rule(rule) for rule in properties["CorsConfiguration"]["CorsRules"]]}
        client.put_bucket_cors(Bucket=name, CORSConfiguration=cors)


_LIFECYCLE: dict[str, Callable[[Any], JsonObject]] = {
    "ExpirationInDays": lambda value: {"Expiration": {"Days": value}},
    "ExpiredObjectDeleteMarker": lambda value: {"Expiration": {"ExpiredObjectDeleteMarker": value}},
    "NoncurrentVersionExpiration": lambda value: {"NoncurrentVersionExpiration": value},
    "AbortIncompleteMultipartUpload": lambda value: {"AbortIncompleteMultipartUpload": value},
    "Id": lambda value: {"ID": value},
    "Status": lambda value: {"Status": value},
    "Prefix": lambda value: {"Filter": {"Prefix": value}},
    "Transitions": lambda value: {
        "Transitions": [{"Days": t["TransitionInDays"], "StorageClass": t["StorageClass"]} for t in value]
    },
    "NoncurrentVersionTransitions": lambda value: {
        "NoncurrentVersionTransitions": [
            {"NoncurrentDays": t["TransitionInDays"], "StorageClass": t["StorageClass"]} for t in value
        ]
    },
}


def _convert_lifecycle_rule(rule: JsonObject) -> JsonObject:
    converted: JsonObject = {"Filter": {"Prefix": ""}}
    for key, value in rule.items():
        # An unknown key is passed on, so that botocore's validation names it.
        convert = _LIFECYCLE.get(key)
        converted |= convert(value) if convert else {key: value}
    return converted


_CORS = {"Id": "ID", "MaxAge": "MaxAgeSeconds", "ExposedHeaders": "ExposeHeaders"}


def _convert_cors_rule(rule: JsonObject) -> JsonObject:
    return {_CORS.get(key, key): value for key, value in rule.items()}


def _configure_notifications(target: Resource, client: Any, name: str, notifications: JsonObject) -> None:
    target.check_keys("NotificationConfiguration", notifications, {"EventBridgeConfiguration"})
    configuration = notifications["EventBridgeConfiguration"]
    target.check_keys("NotificationConfiguration.EventBridgeConfiguration", configuration, {"EventBridgeEnabled"})
    if configuration.get("EventBridgeEnabled", True):
        enabled: JsonObject = {"EventBridgeConfiguration": {}}
        client.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=enabled)
        target.deployment.event_buckets.add(name)


@register_resource("AWS::S3::BucketPolicy", handled={"Bucket", "PolicyDocument"})
def create_bucket_policy(target: Resource, properties: JsonObject) -> Created:
    """Attach a policy to a bucket."""
    name, document = properties["Bucket"], properties["PolicyDocument"]
    target.get_client("s3").put_bucket_policy(Bucket=name, Policy=as_json(document))
    return Created(f"{name}-policy")
