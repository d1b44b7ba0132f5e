"""One module per AWS service; importing a module registers the resource types it creates."""

from importlib import import_module

_MODULES = (
    "compute.function_updates",
    "compute.functions",
    "compute.http_apis",
    "compute.state_machine_updates",
    "compute.state_machines",
    "management.cdk",
    "management.cloudwatch",
    "management.logs",
    "management.ssm",
    "messaging.events",
    "messaging.queues",
    "messaging.sns",
    "security.iam",
    "security.kms",
    "security.secrets",
    "storage.dynamodb",
    "storage.s3",
)


def register_all() -> None:
    """Register every resource type."""
    for module in _MODULES:
        import_module(f"{__name__}.{module}")
