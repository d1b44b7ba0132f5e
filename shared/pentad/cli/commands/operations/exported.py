"""Export a tenant's audit into files: page by page, resumable, with a signed manifest."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pentad.cli.console import CommandError
from pentad.domain.reading.json_text import read_json

if TYPE_CHECKING:
    from pentad.aws.sealed import SealKey
    from pentad.aws.table import Table

Format = Literal["jsonl", "csv"]
Json = dict[str, Any]
PART_ENTRIES = 10_000
"""Of one file."""
MANIFEST, STATE = "manifest.json", "export.partial.json"
_COLUMNS = (
    "chain",
    "number",
    "at",
    "kind",
    "what",
    "outcome",
    "who",
    "tool",
    "step",
    "index",
    "target",
    "source_ip",
    "arguments_hash",
    "before",
    "hash",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class AuditExport:
    """Writes the entries of chains into numbered files of a folder.

    A file is whole or not there: it is written under another name first. After each, what is done is noted, so that a
    further run goes on behind it.

    Args:
        ledger: the table.
        folder: where the files go; made where it is not there.
        asked: what is exported, as the manifest says it; a folder that holds another export is refused.
        chains: the partitions, in order.
        since, until: only entries from the first time on and before the second.
    """

    def __init__(
        self, ledger: "Table", folder: Path, asked: Json, chains: Sequence[str], *, since: datetime, until: datetime
    ) -> None:
        self._ledger = ledger
        self._folder = folder
        self._asked = asked
        self._chains = chains
        self._since = since
        self._until = until

    def __call__(self, key: "SealKey") -> Json:
        """Write what is left and return the manifest, signed.

        Raises:
            CommandError: the folder holds another export.
            StoreUnavailable: a store did not answer; run it again to go on.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        state = self._read_state()
        if "code" in state:
            return state
        self._until = datetime.fromisoformat(state["ends"])
        page: list[Json] = []
        for entry in self._iter_entries(state.get("after")):
            page.append(entry)
            if len(page) == PART_ENTRIES:
                self._write_part(state, page)
                page = []
        if page:
            self._write_part(state, page)
        state.pop("after", None)
        state["entries"] = sum(one["entries"] for one in state["files"])
        manifest = state | {"digest": digest_of(state)}
        manifest["code"] = key.make_code(bytes.fromhex(manifest["digest"])).hex()
        _write_whole(self._folder / MANIFEST, json.dumps(manifest, indent=2, sort_keys=True).encode() + b"\n")
        (self._folder / STATE).unlink(missing_ok=True)
        return manifest

    def _read_state(self) -> Json:
        for name in (MANIFEST, STATE):
            path = self._folder / name
            if not path.exists():
                continue
            try:
                found = read_json(path.read_text(encoding="utf-8"))
            except ValueError:
                found = None
            if not isinstance(found, dict) or found.get("asked") != self._asked:
                raise CommandError(f"'{path}' is of another export: name an empty folder with --out")
            return found
        return {"asked": self._asked, "ends": self._until.isoformat(), "files": []}

    def _iter_entries(self, after: Sequence[Any] | None) -> Iterator[Json]:
        """Yield entries behind a place: the chain, and the number of the last entry in it."""
        first, number = (str(after[0]), int(after[1])) if after else ("", 0)
        for pk in self._chains:
            if pk < first:
                continue
            rows = [row for row in _read_chain(self._ledger, pk) if self._since <= row["moment"] < self._until]
            for row in sorted(rows, key=lambda one: int(one["number"])):
                if pk != first or int(row["number"]) > number:
                    yield row

    def _write_part(self, state: Json, page: Sequence[Json]) -> None:
        name = f"audit-{len(state['files']) + 1:05d}.{self._asked['format']}"
        body = (_write_csv if self._asked["format"] == "csv" else _write_lines)(page)
        _write_whole(self._folder / name, body)
        told = {"name": name, "entries": len(page), "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        state["files"] = [*state["files"], told]
        state["after"] = [page[-1]["chain"], page[-1]["number"]]
        _write_whole(self._folder / STATE, json.dumps(state).encode())


def digest_of(manifest: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hex, of what a manifest says but its digest and code."""
    from pentad.domain.canonical import sha256_of

    return sha256_of({name: value for name, value in manifest.items() if name not in ("digest", "code")})


def find_export_faults(folder: Path, key: "SealKey") -> list[str]:
    """Return what is wrong with an export: a file that is gone or changed, a manifest that the key did not sign.

    Raises:
        CommandError: there is no export.
    """
    try:
        manifest = read_json((folder / MANIFEST).read_text(encoding="utf-8"))
        files, digest, code = manifest["files"], str(manifest["digest"]), str(manifest["code"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandError(f"'{folder}' has no finished export: run `pentad audit export` again") from error
    faults: list[str] = []
    if digest_of(manifest) != digest:
        faults.append(f"{MANIFEST} was changed")
    try:
        signed = key.has_code(bytes.fromhex(digest), bytes.fromhex(code))
    except ValueError:
        signed = False
    if not signed:
        faults.append(f"{MANIFEST} is not signed by the audit's key")
    for one in files:
        path = folder / Path(str(one["name"])).name
        if not path.exists():
            faults.append(f"{path.name} is gone")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != one["sha256"]:
            faults.append(f"{path.name} was changed")
    return faults


def _read_chain(ledger: "Table", pk: str) -> Iterator[Json]:
    for item in ledger.iter_items(pk):
        if "number" not in item or "body" not in item:
            continue
        body = json.loads(str(item["body"]))
        actor = body.get("actor") or {}
        at = str(body.get("at") or actor.get("at"))
        yield {
            "chain": pk,
            "number": int(item["number"]),
            "moment": datetime.fromisoformat(at.replace("Z", "+00:00")),
            "at": at,
            "before": str(item.get("before", "")),
            "hash": str(item.get("hash", "")),
            "body": body,
        }


def _write_lines(page: Sequence[Json]) -> bytes:
    names = ("chain", "number", "at", "before", "hash", "body")
    return "".join(json.dumps({name: row[name] for name in names}, sort_keys=True) + "\n" for row in page).encode()


def _write_csv(page: Sequence[Json]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in page:
        body, actor = row["body"], row["body"].get("actor") or {}
        status = body.get("stage") if body.get("status") is None else body["status"]
        values = {
            **{name: row[name] for name in ("chain", "number", "at", "before", "hash")},
            "kind": "call" if "tool" in body else "act",
            "what": body.get("action") or body.get("name"),
            "outcome": body.get("outcome") or status,
            "who": actor.get("person") or body.get("agent"),
            "source_ip": actor.get("source_ip"),
            **{name: body.get(name) for name in ("tool", "step", "index", "target", "arguments_hash")},
        }
        writer.writerow({name: _defuse(value) for name, value in values.items()})
    return text.getvalue().encode()


def _defuse(value: Any) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _write_whole(path: Path, body: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(body)
    part.replace(path)
