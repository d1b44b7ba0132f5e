"""The files of a tool that is one operation of an HTTP API: what an OpenAPI document says of it, and a test."""

import json
from pathlib import Path

from pentad.cli.commands.new_tool import NewTool, build_tool_files
from pentad.cli.console import EXIT_USAGE, CommandError
from pentad.domain.errors import ConfigurationError
from pentad.tools.openapi.documents import read_document, read_operation
from pentad.tools.openapi.operations import READING, ApiOperation

_LONGEST_LINE = 120


def build_openapi_files(
    root: Path, new: NewTool, document: Path | None, operation_id: str | None, *, url: str | None
) -> dict[Path, str]:
    """Return the files of a tool of one operation with their content.

    Args:
        root: the project's folder.
        new: the name, and the secret with the API's credential.
        document: the OpenAPI document, JSON or YAML.
        operation_id: its id, or ``GET /path``.
        url: where the API is, if not at the document's server.

    Raises:
        CommandError: an option is missing or one too many, the file can't be read, the operation can't be a tool, or
            the name is none or taken.
    """
    if document is None or operation_id is None:
        raise CommandError("--openapi FILE and --operation ID go together: give both", code=EXIT_USAGE)
    if new.packages or new.hosts or new.undo or new.effects != "none" or new.approval != "never":
        raise CommandError(
            "with --openapi the document says what the tool is: give --secret and --url at most, and change the rest "
            "in its file",
            code=EXIT_USAGE,
        )
    try:
        text = document.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"'{document}' can't be read: {type(error).__name__}", code=EXIT_USAGE) from error
    try:
        operation = read_operation(read_document(text), operation_id, name=new.name, url=url)
    except ConfigurationError as error:
        fix = f": {error.fix}" if error.fix else ""
        raise CommandError(f"{error.message}{fix}", code=EXIT_USAGE) from error
    if operation.auth is None and new.secrets:
        raise CommandError(
            "the operation asks for no credential: leave out --secret, or say in the document how it is sent "
            "('security' and 'securitySchemes')",
            code=EXIT_USAGE,
        )
    if operation.auth is not None and len(new.secrets) != 1:
        raise CommandError(
            f"the API wants a credential ({operation.auth.kind}): name the secret that holds it, --secret NAME",
            code=EXIT_USAGE,
        )
    source, test = build_tool_files(root, new)
    secret = new.secrets[0] if operation.auth is not None else None
    return {source: _build_source(operation, secret), test: _build_test(operation, secret)}


def _build_source(operation: ApiOperation, secret: str | None) -> str:
    content = operation.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    # JSON never has three quotes in a row, and in a raw text its backslashes stay.
    literal = json.dumps(content, indent=1, ensure_ascii=True)
    given = f', secrets=["{secret}"]' if secret else ""
    long = "  # noqa: E501" if any(len(line) > _LONGEST_LINE for line in literal.splitlines()) else ""
    effects = "reads only" if operation.method in READING else "has effects and asks a human"
    return (
        f'"""The tool {operation.name}: an operation of an HTTP API, which {effects}.\n\n'
        "Write it again when the API changes: pentad new tool NAME --openapi FILE --operation ID.\n"
        '"""\n\n'
        "from pentad.tools.openapi.declare_operation import from_openapi\n\n"
        f'OPERATION = r"""\n{literal}\n"""{long}\n\n'
        f"{operation.name} = from_openapi(OPERATION{given})\n"
    )


def _build_test(operation: ApiOperation, secret: str | None) -> str:
    secrets = f', secrets={{"{secret}": "a-word-for-tests"}}' if secret else ""
    name = operation.name
    return (
        f'"""The tool {name}, by itself."""\n\n'
        f"from functions.tools.{name} import {name}\n"
        "from pentad.testing.tools import ScriptedHttp, ToolTrial\n\n\n"
        "def test_arguments_that_it_does_not_have_are_refused() -> None:\n"
        f"    trial = ToolTrial({name}, http=ScriptedHttp([]){secrets})\n"
        '    assert trial.call(no_argument_of_this_name="Hello").error_type == "InvalidInput"\n'
    )
