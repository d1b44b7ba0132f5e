"""What an operator's commands reach with AWS credentials: a deployed stage, or this folder's twin."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pentad.cli.console import EXIT_UNAVAILABLE, CommandError
from pentad.cli.target import read_twin_facts

if TYPE_CHECKING:
    from pentad.aws.table import Table

Stage = Annotated[
    str | None, typer.Option("--stage", help="A deployed stage (dev, staging, prod). Default: this folder's twin.")
]
TWIN_STAGE = "dev"


def create_client(service: str, stage: str | None, *, read_timeout: float = 30.0) -> Any:
    """Return boto3's client of a service, where the stage is or in the running twin.

    Args:
        service: boto3's name of the service.
        stage: a deployed stage; None for the twin.
        read_timeout: seconds to wait for an answer; the request is made once.

    Raises:
        CommandError: no twin runs here.
    """
    import boto3
    from botocore.config import Config

    retries: Any = {"mode": "standard", "total_max_attempts": 1}
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
    connect: Any = boto3.client
    return connect(service, config=config, **settings)


def get_output(stage: str | None, name: str) -> str:
    """Return an output of the stage's state stack, such as ``TransientTable``.

    Raises:
        CommandError: the stage is not deployed where the credentials point, or no twin runs.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    if stage is None:
        outputs = read_twin_facts()["outputs"][f"pentad-{TWIN_STAGE}-state"]
    else:
        try:
            stacks = create_client("cloudformation", stage).describe_stacks(StackName=f"pentad-{stage}-state")["Stacks"]
        except (BotoCoreError, ClientError) as error:
            raise CommandError(f"can't reach stage '{stage}': {error}", code=EXIT_UNAVAILABLE) from error
        outputs = {each["OutputKey"]: each["OutputValue"] for each in stacks[0]["Outputs"]}
    if name not in outputs:
        raise CommandError(f"the deployment has no output '{name}'; deploy it again", code=EXIT_UNAVAILABLE)
    return str(outputs[name])


def open_table(stage: str | None, name: str) -> "Table":
    """Return the table that an output of the state stack names.

    Raises:
        CommandError: as `output`.
    """
    from pentad.aws.table import Table

    return Table(create_client("dynamodb", stage), get_output(stage, name))


def function_name(stage: str | None, name: str) -> str:
    """Return the name of a function of the deployment, such as ``gateway``."""
    return f"pentad-{stage or TWIN_STAGE}-{name}"
