"""What an operator's commands reach with AWS credentials: a deployed stage, or this folder's twin."""

import os
import re
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from pentad.cli.console import EXIT_UNAVAILABLE, EXIT_USAGE, CommandError
from pentad.cli.target import LOCAL_OPERATOR, LOCAL_TENANT, read_twin_facts

if TYPE_CHECKING:
    from pentad.aws.table import Table

Stage = Annotated[
    str | None, typer.Option("--stage", help="A deployed stage (dev, staging, prod). Default: this folder's twin.")
]
TENANT_DEFAULT = "Default: the twin's own, local; of a deployed stage it has to be named."
"""Ends the help of an option whose tenant `choose_tenant` chooses."""
TWIN_STAGE = "dev"
KNOWN_STAGES = ("dev", "staging", "prod")
"""As `infra.config.STAGES`, which a command does not import: the CDK takes a second. A project may have more."""
_STAGE = re.compile("[a-zA-Z0-9][a-zA-Z0-9-]{0,99}")


class ListingGroup(TyperGroup):
    """A group of commands that lists when no command is named: ``pentad budgets`` is ``pentad budgets list``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return what is left of the arguments; options alone are those of ``list``."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


def choose_tenant(stage: str | None, tenant_id: str | None, what: str) -> str:
    """Return the tenant that a command is about: the one that is named, or else the twin's own.

    Args:
        stage: a deployed stage; None for the twin.
        tenant_id: as it was typed; None where none was.
        what: what the command is about, for the message: ``budgets``.

    Raises:
        CommandError: a stage has many tenants, and none is named.
        InvalidInput: it can be no tenant's id.
    """
    from pentad.domain.ids import check_id

    if tenant_id is not None:
        return check_id("tenant", tenant_id)
    if stage is None:
        return LOCAL_TENANT
    raise CommandError(f"whose {what}? A stage has many tenants. Fix: add --tenant TENANT", code=EXIT_USAGE)


def create_client(service: str, stage: str | None, *, read_timeout: float = 30.0, attempts: int = 1) -> Any:
    """Return boto3's client of a service, where the stage is or in the running twin.

    Args:
        service: boto3's name of the service.
        stage: a deployed stage; None for the twin.
        read_timeout: seconds to wait for an answer.
        attempts: how often a request is made at most, where it is throttled or not answered.

    Raises:
        CommandError: no twin runs here, AWS is not configured, or no stage can have this name.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    if stage is not None and not _STAGE.fullmatch(stage):
        raise CommandError(f"no stage '{stage}': use one of {', '.join(KNOWN_STAGES)}", code=EXIT_USAGE)
    retries: Any = {"mode": "standard", "total_max_attempts": attempts}
    config = Config(connect_timeout=5, read_timeout=read_timeout, retries=retries)
    settings: dict[str, Any] = {}
    if stage is None:
        facts = read_twin_facts()
        settings = {
            "endpoint_url": facts["aws_url"],
            "region_name": facts["region"],
            "aws_access_key_id": facts["access_key_id"],
            "aws_secret_access_key": facts["secret_access_key"],
        }
    elif region := os.environ.get("AWS_REGION"):
        # AWS's command line and other SDKs read it first; boto3 reads AWS_DEFAULT_REGION and the profile only.
        settings = {"region_name": region}
    connect: Any = boto3.client
    try:
        return connect(service, config=config, **settings)
    except BotoCoreError as error:  # no region, an unknown profile
        raise CommandError(f"AWS can't be reached: {explain_error(error)}", code=EXIT_UNAVAILABLE) from error


def explain_error(error: Exception) -> str:
    """Return what AWS's SDK says, with what to do where it leaves that out."""
    fix = (
        ": set AWS_REGION or AWS_DEFAULT_REGION, or a region in your AWS profile"
        if type(error).__name__ == "NoRegionError"
        else ""
    )
    return f"{str(error).removesuffix('.')}{fix}"


def get_output(stage: str | None, name: str) -> str:
    """Return an output of the stage's state stack, such as ``TransientTable``.

    Raises:
        CommandError: the stage is not deployed where the credentials point, or no twin runs.
    """
    if stage is None:
        outputs: dict[str, Any] = read_twin_facts()["outputs"][f"pentad-{TWIN_STAGE}-state"]
    else:
        outputs = _read_outputs(stage, f"pentad-{stage}-state")
    if name not in outputs:
        raise CommandError(f"the deployment has no output '{name}'; deploy it again", code=EXIT_UNAVAILABLE)
    return str(outputs[name])


def _read_outputs(stage: str, stack: str) -> dict[str, Any]:
    from botocore.exceptions import BotoCoreError, ClientError

    client = create_client("cloudformation", stage)
    deploy = f"deploy it with 'cdk deploy --all --context stage={stage}'"
    try:
        [found] = client.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            known = ", ".join(KNOWN_STAGES)
            fix = f"{deploy}, or give" if stage in KNOWN_STAGES else f"the stages are {known}: give"
            raise CommandError(
                f"no stack '{stack}' in the account and region '{client.meta.region_name}' of your AWS credentials: "
                f"{fix} the name of a stage that is deployed there",
                code=EXIT_UNAVAILABLE,
            ) from error
        raise CommandError(f"can't reach stage '{stage}': {error}", code=EXIT_UNAVAILABLE) from error
    except BotoCoreError as error:
        raise CommandError(f"can't reach stage '{stage}': {error}", code=EXIT_UNAVAILABLE) from error
    if not found.get("Outputs"):
        status = found.get("StackStatus", "unknown")
        raise CommandError(
            f"the stack '{stack}' has no outputs (its status is {status}): its deployment failed or is under way: "
            f"wait for it, or {deploy}",
            code=EXIT_UNAVAILABLE,
        )
    return {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}


def open_table(stage: str | None, name: str) -> "Table":
    """Return the table that an output of the state stack names.

    Raises:
        CommandError: as `output`.
    """
    from pentad.aws.table import Table

    # The output first: it says in one line what is wrong with a stage or with the credentials.
    table = get_output(stage, name)
    return Table(create_client("dynamodb", stage), table)


def function_name(stage: str | None, name: str) -> str:
    """Return the name of a function of the deployment, such as ``gateway``."""
    return f"pentad-{stage or TWIN_STAGE}-{name}"


def find_operator(stage: str | None) -> str:
    """Return who makes a key, as the account knows them; on the twin everybody is the same person.

    Raises:
        CommandError: the account does not say.
    """
    if stage is None:
        return LOCAL_OPERATOR
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return str(create_client("sts", stage).get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError) as error:
        raise CommandError(f"can't find out who you are: {error}; name the owner with --owner") from error
