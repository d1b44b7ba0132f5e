"""One module per AWS service; importing a module registers the resource types it creates."""

from importlib import import_module

_MODULES = (
    "cdk",
    "cloudwatch",
    "dynamodb",
    "events",
    "function_updates",
    "functions",
    "http_apis",
    "iam",
    "kms",
    "logs",
    "queues",
    "s3",
    "secrets",
    "sns",
    "ssm",
    "state_machines",
    "state_machine_updates",
)


def register_all() -> None:
    """Register every resource type."""
    for module in _MODULES:
        import_module(f"{__name__}.{module}")
