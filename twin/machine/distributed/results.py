"""Results of a Map Run: the state's output, or files in S3 with a manifest.

Source: "ResultWriter (Map)" of the Step Functions developer guide.
"""

import json
import threading
from typing import Any, Final

from twin.machine.distributed.runs import MapRun
from twin.machine.distributed.spool import JsonSpool
from twin.machine.encoding import MAX_BYTES, dump_json, to_iso

_FILES: Final = {"SUCCEEDED": "SUCCEEDED", "FAILED": "FAILED", "TIMED_OUT": "FAILED", "ABORTED": "FAILED"}

Json = dict[str, Any]


class TooLargeError(Exception):
    """The results are larger than a state's output may be: ``States.DataLimitExceeded``."""


class Results:
    """Collects what child executions gave, on disk.

    Args:
        run: whose results they are.
        config: ``WriterConfig``, evaluated; None without a ``ResultWriter``: outputs alone.
    """

    def __init__(self, run: MapRun, config: Json | None) -> None:
        self._run = run
        default = "COMPACT" if config is None else "NONE"
        self._transformation = (config or {}).get("Transformation", default)
        self._kind = (config or {}).get("OutputType", "JSON")
        self._lock = threading.Lock()
        self._spools = {name: JsonSpool() for name in ("FAILED", "PENDING", "SUCCEEDED")}
        self._outputs: dict[int, int] = {}
        self._closed = False

    def add(self, index: int, child: Any) -> None:
        """Keep what an ended child execution gave; ``index`` is its place among all."""
        name = _FILES.get(str(child.status), "FAILED")
        plain = name == "SUCCEEDED" and self._transformation != "NONE"
        text = dump_json(child.output) if plain else dump_json(_build_entry(child))
        with self._lock:
            if self._closed:
                return  # it outlived the time that a stopped execution has to end
            spool = self._spools[name]
            if name == "SUCCEEDED":
                self._outputs[index] = spool.count
            spool.append(text)

    def has(self, index: int) -> bool:
        """Tell whether the child execution at this place has succeeded."""
        with self._lock:
            return index in self._outputs

    def forget_failures(self) -> None:
        """Drop what did not succeed: a redrive does it again."""
        with self._lock:
            for name in ("FAILED", "PENDING"):
                self._spools[name].close()
                self._spools[name] = JsonSpool()

    def add_pending(self, text: str) -> None:
        """Keep the input of a child execution that was not started."""
        entry = {"Input": text, "InputDetails": {"Included": True}, "StateMachineArn": self._run.machine_arn}
        with self._lock:
            self._spools["PENDING"].append(dump_json(entry | {"Status": "PENDING"}))

    def read_output(self) -> list[Any]:
        """Return the results as the state's output, in the order of the child executions.

        Raises:
            TooLargeError: they are too large for it.
        """
        texts, size = [], 1
        for text in self._spools["SUCCEEDED"].iter_texts():
            texts.append(text)
            size += len(text.encode("utf-8", "surrogatepass")) + 1
            if size > MAX_BYTES:
                raise TooLargeError
        found = [json.loads(texts[place]) for _, place in sorted(self._outputs.items())]
        return _flatten(found) if self._transformation == "FLATTEN" else found

    def write(self, s3: Any, arguments: Json) -> Json:
        """Write the results and their manifest to S3, and return the state's output.

        Args:
            s3: a client that acts as the machine's role.
            arguments: ``Bucket``, and ``Prefix`` where there is one.

        Raises:
            ClientError: S3 said no.
            BotoCoreError: S3 did not answer.
        """
        prefix = str(arguments.get("Prefix", ""))
        folder = f"{prefix}{'' if prefix.endswith('/') or not prefix else '/'}{self._run.run_id}"
        files: dict[str, list[Json]] = {}
        for name, spool in self._spools.items():
            files[name] = []
            if spool.count:
                key = f"{folder}/{name}_0.{self._kind.lower()}"
                with self._open(name) as body:
                    s3.put_object(Bucket=arguments["Bucket"], Key=key, Body=body)
                    files[name].append({"Key": key, "Size": body.tell()})
        manifest = {
            "DestinationBucket": arguments["Bucket"],
            "MapRunArn": self._run.map_run_arn,
            "ResultFiles": files,
        }
        key = f"{folder}/manifest.json"
        s3.put_object(Bucket=arguments["Bucket"], Key=key, Body=dump_json(manifest).encode())
        return {
            "MapRunArn": self._run.map_run_arn,
            "ResultWriterDetails": {"Bucket": arguments["Bucket"], "Key": key},
        }

    def close(self) -> None:
        """Give the files back."""
        with self._lock:
            self._closed = True
            for spool in self._spools.values():
                spool.close()

    def _open(self, name: str) -> Any:
        if name != "SUCCEEDED" or self._transformation != "FLATTEN":
            return self._spools[name].open_as(self._kind)
        with JsonSpool() as flat:
            for text in self._spools[name].iter_texts():
                for value in _flatten([json.loads(text)]):
                    flat.append(dump_json(value))
            return flat.open_as(self._kind)


def _flatten(values: list[Any]) -> list[Any]:
    return [item for value in values for item in (value if isinstance(value, list) else [value])]


def _build_entry(child: Any) -> Json:
    """Return what a result file says of a child execution."""
    succeeded = child.status == "SUCCEEDED"
    output = {"Output": dump_json(child.output), "OutputDetails": {"Included": True}} if succeeded else {}
    failure = {"Error": child.error, "Cause": child.cause}
    return {
        "ExecutionArn": child.exec_arn,
        **{key: value for key, value in failure.items() if value is not None},
        "Input": child.execution_input,
        "InputDetails": {"Included": True},
        "Name": child.name,
        **output,
        "RedriveCount": child.redrives.count,
        "RedriveStatus": "NOT_REDRIVABLE",
        "StartDate": to_iso(child.start_date),
        "StateMachineArn": child.state_machine_arn,
        "Status": str(child.status),
        "StopDate": to_iso(child.stop_date),
    }
