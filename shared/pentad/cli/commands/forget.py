"""``pentad forget``: erase a user, and look again."""

import time
from typing import Annotated, Any
from urllib.parse import quote

import typer

from pentad.cli.console import EXIT_USAGE, OPTIONS, OUT, CommandError, confirm, handle_errors, print_json
from pentad.cli.screen import Grid, build_line
from pentad.cli.target import create_api_client

Json = dict[str, Any]

VERIFY = "verify"
_LOOK_SECONDS = 2.0
_OPEN = ("asked", "running")


def forget(
    user: Annotated[
        str, typer.Argument(metavar="USER", help=f"Whom to erase; or '{VERIFY}', to look again after an erasure.")
    ],
    receipt: Annotated[
        str | None, typer.Argument(metavar="RECEIPT", help=f"With '{VERIFY}': USER/ID, as an erasure prints it.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Skip the confirmation.")] = False,
    wait: Annotated[int, typer.Option(min=0, max=3600, help="Maximum seconds to wait for the end.")] = 300,
) -> None:
    """Erase a user: deletes everything stored about them except amounts. With 'verify', look again for what is left."""
    with handle_errors():
        client = create_api_client()
        if user == VERIFY:
            user_id, _, erasure_id = (receipt or "").rpartition("/")
            if not user_id or not erasure_id:
                raise CommandError("give the receipt as USER/ID, as `pentad forget USER` printed it", code=EXIT_USAGE)
            found = client.call("POST", make_path(user_id, erasure_id))
        elif receipt is not None:
            raise CommandError(f"unexpected argument '{receipt}': erase one user at a time", code=EXIT_USAGE)
        else:
            user_id = user
            if not yes:
                confirm(f"Erase '{user_id}': sessions, runs, documents and all that is remembered, for good?")
            found = client.call("DELETE", make_path(user_id))
        _show(user_id, _wait(client, user_id, found, wait))


def make_path(user_id: str, erasure_id: str | None = None) -> str:
    """Return the path of a user, or of the receipt of an erasure."""
    path = f"/v1/users/{quote(user_id, safe='')}"
    return path if erasure_id is None else f"{path}/erasures/{quote(erasure_id, safe='')}"


def _wait(client: Any, user_id: str, found: Json, seconds: int) -> Json:
    """Return the receipt at its end, or as it is when the time is over."""
    for _ in range(int(seconds / _LOOK_SECONDS)):
        if found["status"] not in _OPEN:
            break
        time.sleep(_LOOK_SECONDS)
        found = client.call("GET", make_path(user_id, found["erasure"]))
    return found


def _show(user_id: str, receipt: Json) -> None:
    """Print a receipt.

    Raises:
        CommandError: the user is not erased.
    """
    name = f"{user_id}/{receipt['erasure']}"
    if OPTIONS.json:
        print_json({"receipt": name, **receipt})
        if receipt["status"] != "done":
            raise typer.Exit(1)
        return
    grid = Grid("kind", "removed", "left")
    for kind in sorted({*receipt["removed"], *receipt["left"]}):
        grid.add_row(kind, str(receipt["removed"].get(kind, 0)), str(receipt["left"].get(kind, 0)))
    OUT.print(grid)
    OUT.print(build_line("receipt: {name}", name=name))
    if receipt["status"] == "refused":
        raise CommandError(
            f"the run '{receipt['open_run']}' of '{user_id}' is under way, and nothing was removed: "
            f"`pentad runs cancel {receipt['open_run']}`, then try again"
        )
    if receipt["status"] in _OPEN:
        raise CommandError("the erasure is still running: run the command again to keep waiting")
    if receipt["status"] != "done":
        raise CommandError(f"'{user_id}' is not erased: see what is left; docs/erasure.md says what to do")
    OUT.print(build_line("'{user}': nothing is left", user=user_id))
    if receipt.get("stays"):
        OUT.print("The id itself stays:")
    for stay in receipt.get("stays", ()):
        OUT.print(build_line("  {what}: {until}", what=stay["what"], until=stay["until"]))
