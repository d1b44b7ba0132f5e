"""Items of a distributed Map: from the state's input, a listing of S3, or an object in S3.

Source: "ItemReader (Map)" of the Step Functions developer guide.
"""

import codecs
import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from twin.machine.distributed.spool import JsonSpool
from twin.machine.encoding import dump_json, is_within_quota

MOST_ITEMS: Final = 1_000_000
"""Of a run, here; AWS takes 100 million."""
MOST_BYTES: Final = 64_000_000
"""Of a JSON object or a manifest, which are read as a whole. JSON Lines and CSV are read line by line."""
_DELIMITERS: Final = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}

Json = dict[str, Any]


class ReadingError(Exception):
    """The items could not be read: ``States.ItemReaderFailed``."""


def spool_items(items: Iterable[Any]) -> JsonSpool:
    """Return items on disk.

    Raises:
        ReadingError: an item is too large, there are too many, or they could not be read.
    """
    spool = JsonSpool()
    try:
        for item in items:
            text = dump_json(item)
            if not is_within_quota(text):
                raise ReadingError("An item exceeds the maximum size of 262144 bytes.")
            if spool.count >= MOST_ITEMS:
                raise ReadingError(f"The local twin takes at most {MOST_ITEMS} items of a Map Run.")
            spool.append(text)
    except BaseException:
        spool.close()
        raise
    return spool


def read_items(s3: Any, action: str, arguments: Json, config: Json) -> Iterator[Any]:
    """Yield the items that an ``ItemReader`` names.

    Args:
        s3: a client that acts as the machine's role.
        action: ``listObjectsV2`` or ``getObject``.
        arguments: of the call.
        config: ``ReaderConfig``, evaluated.

    Raises:
        ReadingError: S3 said no, or the object is not what the configuration says.
    """
    most = _read_whole(config.get("MaxItems"), "MaxItems")
    try:
        items = _list_objects(s3, arguments) if action == "listObjectsV2" else _read_object(s3, arguments, config)
        yield from items if not most else islice(items, most)
    except (ClientError, BotoCoreError) as error:
        raise ReadingError(str(error)) from error
    except UnicodeDecodeError as error:
        raise ReadingError(f"The object is not in UTF-8: {error}") from error
    except (ValueError, OSError, csv.Error) as error:
        raise ReadingError(f"The object can't be read as {config.get('InputType')}: {error}") from error


def _read_whole(value: Any, field: str) -> int | None:
    """Return a whole number of a configuration, which a path may give as text."""
    if value is None:
        return None
    try:
        number = int(value)
    except (TypeError, ValueError) as error:
        raise ReadingError(f"'{field}' is not a whole number: {dump_json(value)}") from error
    if number < 0:
        raise ReadingError(f"'{field}' is negative: {number}")
    return number


def _list_objects(s3: Any, arguments: Json) -> Iterator[Json]:
    token: Json = {}
    while True:
        page = s3.list_objects_v2(**arguments, **token)
        for entry in page.get("Contents", ()):
            yield {
                "Etag": entry["ETag"],
                "Key": entry["Key"],
                "LastModified": int(entry["LastModified"].timestamp()),
                "Size": entry["Size"],
                "StorageClass": entry.get("StorageClass", "STANDARD"),
            }
        if not page.get("IsTruncated"):
            return
        token = {"ContinuationToken": page["NextContinuationToken"]}


def _read_object(s3: Any, arguments: Json, config: Json) -> Iterator[Any]:
    kind = config["InputType"]
    found = s3.get_object(**arguments)
    if kind == "JSON":
        yield from _find_array(_load(found), config.get("ItemsPointer"))
    elif kind == "JSONL":
        yield from (json.loads(line) for line in found["Body"].iter_lines() if line.strip())
    elif kind == "CSV":
        yield from _read_rows(_decode_lines(found["Body"].iter_lines(keepends=True)), config)
    else:
        yield from _read_inventory(s3, _load(found))


def _load(found: Json) -> Any:
    size = int(found["ContentLength"])
    if size > MOST_BYTES:
        raise ReadingError(f"The local twin reads at most {MOST_BYTES} bytes of JSON; use JSONL for more.")
    return json.loads(found["Body"].read().decode("utf-8-sig"))


def _find_array(value: Any, pointer: str | None) -> list[Any]:
    """Return the array that a JSON pointer (RFC 6901) leads to."""
    for part in (pointer or "").split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, TypeError) as error:
            raise ReadingError(f"'ItemsPointer' leads nowhere: {pointer}") from error
    if not isinstance(value, list):
        raise ReadingError("Attempting to map over non-iterable node.")
    return value


def _decode_lines(lines: Iterable[bytes]) -> Iterator[str]:
    return codecs.iterdecode(lines, "utf-8-sig")


def _read_rows(lines: Iterable[str], config: Json) -> Iterator[Json]:
    delimiter = _DELIMITERS[config.get("CSVDelimiter", "COMMA")]
    rows = csv.reader(lines, delimiter=delimiter)
    given = config.get("CSVHeaderLocation", "FIRST_ROW") == "GIVEN"
    headers = list(config["CSVHeaders"]) if given else next(rows, [])
    if len(set(headers)) < len(headers):
        raise ReadingError("CSV headers cannot contain duplicates.")
    for row in rows:
        if row:
            yield {header: row[index] if index < len(row) else "" for index, header in enumerate(headers)}


def _read_inventory(s3: Any, manifest: Any) -> Iterator[Json]:
    """Yield the objects that an S3 inventory lists; its files are CSV without headers, packed by gzip."""
    if not isinstance(manifest, dict) or manifest.get("fileFormat") != "CSV":
        raise ReadingError("The manifest is not that of an S3 inventory in CSV.")
    headers = [name.strip() for name in manifest["fileSchema"].split(",")]
    bucket = manifest["destinationBucket"].rsplit(":", 1)[-1]
    for file in manifest["files"]:
        body = s3.get_object(Bucket=bucket, Key=file["key"])["Body"]
        with gzip.open(io.BytesIO(body.read()), "rt", encoding="utf-8", newline="") as lines:
            yield from _read_rows(lines, {"CSVHeaderLocation": "GIVEN", "CSVHeaders": headers})
