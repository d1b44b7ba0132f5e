"""``pentad keys``: API keys are made by an operator with AWS credentials, never through the API itself."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pentad.cli.console import EXIT_UNAVAILABLE, OPTIONS, OUT, CommandError, handle_errors, print_json
from pentad.cli.target import LOCAL_TENANT, read_twin_facts

if TYPE_CHECKING:
    from pentad.api.identity.ports import KeyStore

app = typer.Typer(help="API keys of a tenant: made, listed and revoked with the operator's AWS credentials.")

Stage = Annotated[
    str | None, typer.Option("--stage", help="A deployed stage (dev, staging, prod). Default: this folder's twin.")
]
Tenant = Annotated[str, typer.Option("--tenant", "-t", help="Whose key.")]


def open_store(stage: str | None) -> "KeyStore":
    """Return the store of keys of a deployed stage, or of the running twin.

    Raises:
        CommandError: the stage is not deployed where the credentials point, or no twin runs.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    from pentad.api.identity.adapters.keys_dynamodb import DynamoKeys
    from pentad.aws.table import Table

    if stage is None:
        facts = read_twin_facts()
        table = facts["outputs"]["pentad-dev-state"]["StateTable"]
        return DynamoKeys(Table(boto3.client("dynamodb", **_build_twin_settings(facts)), table))
    try:
        stacks = boto3.client("cloudformation").describe_stacks(StackName=f"pentad-{stage}-state")["Stacks"]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}
        return DynamoKeys(Table(boto3.client("dynamodb"), outputs["StateTable"]))
    except (BotoCoreError, ClientError) as error:
        raise CommandError(f"stage {stage} can't be reached: {error}", code=EXIT_UNAVAILABLE) from error


def _build_twin_settings(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "endpoint_url": facts["aws_url"],
        "region_name": facts["region"],
        "aws_access_key_id": facts["access_key_id"],
        "aws_secret_access_key": facts["secret_access_key"],
    }


@app.command("create")
def create(
    tenant: Tenant = LOCAL_TENANT,
    stage: Stage = None,
    scope: Annotated[list[str] | None, typer.Option(help="Repeat for several. Default: all scopes.")] = None,
    user: Annotated[str | None, typer.Option(help="Bind the key to one user.")] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="Whose approvals it may decide; repeat for several. Default: all groups'.")
    ] = None,
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires. Default: never.")] = None,
) -> None:
    """Make a key and print it: it can't be shown again."""
    from pentad.api.identity.caller import SCOPES
    from pentad.api.identity.keys import create_key

    with handle_errors():
        now = datetime.now(UTC)
        key, token = create_key(
            open_store(stage),
            tenant,
            now=now,
            scopes=scope or SCOPES,
            user=user,
            groups=group or (),
            name=name,
            expires_at=now + timedelta(days=days) if days else None,
        )
        if OPTIONS.json:
            print_json(
                {"key": token, "key_id": key.key_id, "tenant": tenant, "scopes": key.scopes, "groups": key.groups}
            )
        else:
            OUT.print(token, soft_wrap=True)


@app.command("list")
def list_(tenant: Tenant = LOCAL_TENANT, stage: Stage = None) -> None:
    """List a tenant's keys, without their secrets."""
    from pentad.api.identity.keys import list_keys

    with handle_errors():
        keys = [key.model_dump(exclude={"secret_hash"}) for key in list_keys(open_store(stage), tenant)]
        if OPTIONS.json:
            print_json(keys)
            return
        for key in keys:
            state = "revoked" if key["disabled_at"] else f"until {key['expires_at'] or 'revoked'}"
            groups = f"  groups {' '.join(key['groups'])}" if key["groups"] else ""
            OUT.print(f"{key['key_id']}  {state}  {' '.join(key['scopes'])}{groups}  {key['name']}")


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The third part of the key's four.")],
    tenant: Tenant = LOCAL_TENANT,
    stage: Stage = None,
) -> None:
    """Revoke a key; it works for a minute longer at most."""
    from pentad.api.identity.keys import revoke_key

    with handle_errors():
        key = revoke_key(open_store(stage), tenant, key_id, now=datetime.now(UTC))
        if OPTIONS.json:
            print_json(key.model_dump(exclude={"secret_hash"}))
        else:
            OUT.print(f"{key.key_id} is revoked")
