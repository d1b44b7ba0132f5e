"""What AWS refuses in the fields of a Map state, and what the twin does not run.

Sources: "ItemReader (Map)", "ItemBatcher (Map)", "ResultWriter (Map)" and "Using Map state in Distributed mode" of the
Step Functions developer guide.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any, Final

from twin.machine.distributed.fields import find_processor, is_distributed

_DISTRIBUTED_ONLY: Final = (
    *("ItemReader", "ItemBatcher", "ResultWriter", "Label"),
    *("ToleratedFailureCount", "ToleratedFailureCountPath"),
    *("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
)
_READER: Final = ("Resource", "Parameters", "Arguments", "ReaderConfig")
_CONFIG: Final = (
    *("InputType", "MaxItems", "MaxItemsPath", "CSVHeaderLocation", "CSVHeaders", "CSVDelimiter"),
    *("ItemsPointer", "ManifestType", "Transformation"),
)
_BATCHER: Final = (
    *("MaxItemsPerBatch", "MaxItemsPerBatchPath"),
    *("MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath", "BatchInput"),
)
_WRITER: Final = ("Resource", "Parameters", "Arguments", "WriterConfig")
_ACTIONS: Final = {"ItemReader": ("listObjectsV2", "getObject"), "ResultWriter": ("putObject",)}
_VALUES: Final = {
    "InputType": ("CSV", "JSON", "JSONL", "MANIFEST"),
    "CSVHeaderLocation": ("FIRST_ROW", "GIVEN"),
    "CSVDelimiter": ("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"),
    "ManifestType": ("S3_INVENTORY",),
    "Transformation": ("NONE",),
}
NOT_SUPPORTED: Final = {
    "InputType": ("PARQUET",),
    "ManifestType": ("ATHENA_DATA",),
    "Transformation": ("LOAD_AND_FLATTEN",),
}
"""Values of a ``ReaderConfig`` that AWS knows and the twin refuses."""
_WAITING: Final = re.compile(r"\.(sync(:2)?|waitForTaskToken)$")
_TRANSFORMATIONS: Final = ("NONE", "COMPACT", "FLATTEN")
_OUTPUT_TYPES: Final = ("JSON", "JSONL")

Json = dict[str, Any]
Fault = tuple[str, str]
"""A message, and the field that it is about."""


def find_map_faults(state: Json) -> Iterator[Fault]:
    """Yield what keeps a Map state's own fields from being taken; nothing for other states."""
    if state.get("Type") != "Map":
        return
    if not is_distributed(state):
        for field in _DISTRIBUTED_ONLY:
            if field in state:
                yield f"Field '{field}' is supported only in DISTRIBUTED mode", field
        return
    yield from _find_child_faults(find_processor(state))
    if "ItemReader" in state:
        yield from _find_reader_faults(state["ItemReader"])
    if "ItemBatcher" in state:
        yield from _find_batcher_faults(state["ItemBatcher"])
    if "ResultWriter" in state:
        yield from _find_writer_faults(state["ResultWriter"])


def _find_child_faults(processor: Json) -> Iterator[Fault]:
    kind = processor["ProcessorConfig"].get("ExecutionType")
    if kind not in ("STANDARD", "EXPRESS"):
        yield "'ExecutionType' must be STANDARD or EXPRESS", "ItemProcessor/ProcessorConfig/ExecutionType"
    for name, state in processor.get("States", {}).items() if kind == "EXPRESS" else ():
        found = _WAITING.search(str(state.get("Resource", "")))
        if found:
            yield f"Express executions do not support '{found.group()}'", f"ItemProcessor/States/{name}/Resource"


def _find_reader_faults(reader: Json) -> Iterator[Fault]:
    yield from _find_unknown(reader, _READER, "ItemReader")
    yield from _find_action_faults(reader, "ItemReader")
    config = reader.get("ReaderConfig", {})
    yield from _find_unknown(config, _CONFIG, "ItemReader/ReaderConfig")
    for field, allowed in _VALUES.items():
        yield from _find_value_faults(config, field, allowed)
    listed = str(reader.get("Resource", "")).endswith(":listObjectsV2")
    if not listed and "InputType" not in config:
        yield "'InputType' is required for s3:getObject", "ItemReader/ReaderConfig"
    if config.get("CSVHeaderLocation") == "GIVEN" and "CSVHeaders" not in config:
        yield "'CSVHeaders' is required where 'CSVHeaderLocation' is GIVEN", "ItemReader/ReaderConfig"


def _find_value_faults(config: Json, field: str, allowed: Collection[str]) -> Iterator[Fault]:
    value = config.get(field)
    if value is None or value in allowed:
        return
    where = f"ItemReader/ReaderConfig/{field}"
    if value in NOT_SUPPORTED.get(field, ()):
        yield f"the local twin does not support '{field}: {value}'", where
    else:
        yield f"'{field}' must be one of {', '.join(allowed)}", where


def _find_batcher_faults(batcher: Json) -> Iterator[Fault]:
    yield from _find_unknown(batcher, _BATCHER, "ItemBatcher")
    if not any(field in batcher for field in _BATCHER if field != "BatchInput"):
        yield "'MaxItemsPerBatch' or 'MaxInputBytesPerBatch' is required", "ItemBatcher"


def _find_writer_faults(writer: Json) -> Iterator[Fault]:
    yield from _find_unknown(writer, _WRITER, "ResultWriter")
    if "Resource" in writer:
        yield from _find_action_faults(writer, "ResultWriter")
    elif "WriterConfig" not in writer:
        yield "'Resource' or 'WriterConfig' is required", "ResultWriter"
    config = writer.get("WriterConfig", {})
    yield from _find_unknown(config, ("Transformation", "OutputType"), "ResultWriter/WriterConfig")
    for field, allowed in (("Transformation", _TRANSFORMATIONS), ("OutputType", _OUTPUT_TYPES)):
        if config.get(field) not in (None, *allowed):
            yield f"'{field}' must be one of {', '.join(allowed)}", f"ResultWriter/WriterConfig/{field}"


def _find_action_faults(value: Json, field: str) -> Iterator[Fault]:
    resource = str(value.get("Resource", ""))
    if resource.split(":states:::")[-1] not in [f"s3:{action}" for action in _ACTIONS[field]]:
        yield f"'{resource}' is not a resource of '{field}'", f"{field}/Resource"


def _find_unknown(value: Json, known: Collection[str], place: str) -> Iterator[Fault]:
    for field in value:
        if field not in known:
            yield f"Field '{field}' is not supported", place
