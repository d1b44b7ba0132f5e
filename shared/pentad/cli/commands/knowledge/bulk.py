"""Many documents at once: start a bulk ingestion, and follow it until every document had its turn."""

import time
import uuid
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from pentad.cli.client import ApiClient
from pentad.cli.commands.knowledge.uploads import try_again
from pentad.cli.console import ERR, CommandError

BULK_FROM = 200
"""Documents from which on one bulk ingestion indexes them, unless the command says otherwise."""
POLL_SECONDS = 1.0
"""Between two questions; what is shown is as old as this, and one answer."""
INTERRUPTED = 130

Json = dict[str, Any]


def find_folder(names: Iterable[str]) -> str:
    """Return the folder that holds all documents of these names; empty where they have none in common."""
    parents = [PurePosixPath(name).parent.parts for name in names]
    common: list[str] = []
    for parts in zip(*parents, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return "/".join(common)


def follow_bulk(client: ApiClient, names: Iterable[str], seconds: float) -> Json:
    """Index uploaded documents by one bulk ingestion and return what is known of it at its end.

    Args:
        client: the API.
        names: of the documents.
        seconds: how long to wait at most without one more document that had its turn.

    Raises:
        CommandError: no document had its turn for so long, or the user stopped waiting; the ingestion goes on.
    """
    # Chosen here, so that a request that is sent again starts nothing twice.
    bulk_id = uuid.uuid4().hex
    body = {"bulk": bulk_id, "folder": find_folder(names)}
    try:
        try_again(lambda: client.call("POST", "/v1/bulk-ingests", body=body))
        return _follow(client, bulk_id, seconds)
    except KeyboardInterrupt as error:
        message = "stopped waiting; what was uploaded is still indexed; run the command again to watch it"
        raise CommandError(message, code=INTERRUPTED) from error


def _follow(client: ApiClient, bulk_id: str, seconds: float) -> Json:
    done, moved_at = -1, time.monotonic()
    with ERR.build_progress() as progress:
        task = progress.add_task("indexing", total=None)
        while True:
            asked_at = time.monotonic()
            found: Json = try_again(lambda: client.call("GET", f"/v1/bulk-ingests/{bulk_id}"))
            progress.update(task, completed=found["done"], total=found["documents"] or None)
            if found["status"] != "running":
                return found
            if found["done"] != done:
                done, moved_at = found["done"], time.monotonic()
            if time.monotonic() - moved_at > seconds:
                told = f"{found['done']:,} of {found['documents']:,} documents"
                raise CommandError(
                    f"no progress for {seconds:g} s: {told} processed; check with `pentad documents list`"
                )
            time.sleep(max(0.0, asked_at + POLL_SECONDS - time.monotonic()))
