"""``pentad keys``: API keys are made by an operator with AWS credentials, never through the API itself."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from pentad.api.acts.subjects import KEYS
from pentad.cli import operator
from pentad.cli.commands.operations.acts import record_act
from pentad.cli.console import EXIT_USAGE, OPTIONS, OUT, CommandError, handle_errors, print_json
from pentad.cli.screen import build_line

if TYPE_CHECKING:
    from pentad.api.identity.api_key import ApiKey
    from pentad.api.identity.ports import KeyStore

app = typer.Typer(
    cls=operator.ListingGroup,
    help="API keys of a tenant: listed, made and revoked with the operator's AWS credentials.",
)

Tenant = Annotated[
    str | None,
    typer.Option("--tenant", "-t", help=f"Whose key. {operator.TENANT_DEFAULT}", show_default=False),
]

DEFAULT_EXPIRY = "90d"


def open_store(stage: str | None) -> "KeyStore":
    """Return the store of keys of a deployed stage, or of the running twin.

    Raises:
        CommandError: the stage is not deployed where the credentials point, or no twin runs.
    """
    from pentad.api.identity.adapters.keys_dynamodb import DynamoKeys

    return DynamoKeys(operator.open_table(stage, "StateTable"))


@app.command("create")
def create(
    tenant: Tenant = None,
    stage: operator.Stage = None,
    scope: Annotated[list[str] | None, typer.Option(help="Repeat for several. Default: runs:read alone.")] = None,
    user: Annotated[str | None, typer.Option(help="Bind the key to one user.")] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(help="A group that it may decide for; repeat for several, '*' for all. Default: none."),
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option(help="The person responsible for a key that belongs to no user. Default: whoever makes it."),
    ] = None,
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    expires: Annotated[
        str, typer.Option(help="When it expires: 12h, 30d, a date (2027-01-31, UTC), or never.")
    ] = DEFAULT_EXPIRY,
) -> None:
    """Make a key and print it: it can't be shown again. It may do what is named, and no more."""
    from pentad.api.identity.keys import LEAST_SCOPES, create_key

    with handle_errors():
        tenant_id = operator.choose_tenant(stage, tenant, "key")
        now, store = datetime.now(UTC), open_store(stage)
        expires_at = parse_expiry(expires, now)
        with record_act(stage, KEYS, "create_key", name or "a new key", tenant_id=tenant_id) as act:
            key, token = create_key(
                store,
                tenant_id,
                now=now,
                scopes=scope or LEAST_SCOPES,
                user_id=user,
                groups=group or (),
                owner=owner or (None if user else operator.find_operator(stage)),
                name=name,
                expires_at=expires_at,
            )
            act.target = key.key_id
        _print_key(key, token)


def _print_key(key: "ApiKey", token: str) -> None:
    if OPTIONS.json:
        shown = key.model_dump(include={"key_id", "scopes", "user_id", "groups", "owner", "expires_at"})
        print_json({"key": token, "tenant": key.tenant_id, **shown})
    else:
        OUT.print(token, soft_wrap=True)


def parse_expiry(text: str, now: datetime) -> datetime | None:
    """Return when a key ends; None is never.

    Args:
        text: a number of hours or days (``12h``, ``30d``), a day in UTC (``2027-01-31``), or ``never``.
        now: the time.

    Raises:
        CommandError: it is none of these, or has passed.
    """
    if text == "never":
        return None
    match = re.fullmatch(r"([1-9][0-9]{0,4})([hd])", text)
    if match is not None:
        return now + timedelta(hours=int(match[1])) * (24 if match[2] == "d" else 1)
    try:
        end = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
    except ValueError as error:
        raise CommandError(f"--expires must be 12h, 30d, a date or never, got '{text}'", code=EXIT_USAGE) from error
    if end <= now:
        raise CommandError(f"--expires must be in the future, got '{text}'", code=EXIT_USAGE)
    return end


@app.command("list")
def list_(tenant: Tenant = None, stage: operator.Stage = None) -> None:
    """List a tenant's keys, without their secrets."""
    from pentad.api.identity.keys import list_keys

    with handle_errors():
        tenant_id = operator.choose_tenant(stage, tenant, "keys")
        keys = [key.model_dump(exclude={"secret_hash"}) for key in list_keys(open_store(stage), tenant_id)]
        if OPTIONS.json:
            print_json(keys)
            return
        if not keys:
            OUT.print(build_line("Tenant '{tenant}' has no API keys.", tenant=tenant_id))
        for key in keys:
            state = "revoked" if key["disabled_at"] else f"until {key['expires_at'] or 'revoked'}"
            groups = f"  groups {' '.join(key['groups'])}" if key["groups"] else ""
            whose = f"  user {key['user']}" if key["user"] else f"  owner {key['owner'] or 'unknown'}"
            line = f"{key['key_id']}  {state}  {' '.join(key['scopes'])}{groups}{whose}  {key['name']}"
            OUT.print(line)


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id: the third of its four parts.")],
    tenant: Tenant = None,
    stage: operator.Stage = None,
) -> None:
    """Revoke a key; it works for a minute longer at most."""
    from pentad.api.identity.keys import revoke_key

    with handle_errors():
        tenant_id = operator.choose_tenant(stage, tenant, "key")
        now, store = datetime.now(UTC), open_store(stage)
        with record_act(stage, KEYS, "revoke_key", key_id, tenant_id=tenant_id):
            key = revoke_key(store, tenant_id, key_id, now=now)
        if OPTIONS.json:
            print_json(key.model_dump(exclude={"secret_hash"}))
        else:
            OUT.print(f"{key.key_id} is revoked")
