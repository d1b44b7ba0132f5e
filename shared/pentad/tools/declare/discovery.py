"""Find the tools of a package: one file, one tool, one name."""

import ast
import importlib
import inspect
import pkgutil
import re
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from pentad.domain.errors import ConfigurationError
from pentad.domain.ids import TOOL_CHARACTERS, TOOL_PATTERN
from pentad.tools.declare.declare import Tool
from pentad.tools.declare.signature import make_declaration_error

AnyTool = Tool[Any, Any]
_PLACE = re.compile(r"\.py:\d+")
OWN = "functions.tools"
"""The package of a project's own tools: each is deployed."""
LIBRARY = "functions.library"
"""The package of the tools that ship: each is deployed where an agent or a workflow names it."""


def discover(package: str = OWN) -> dict[str, AnyTool]:
    """Import each module of a package and return its tools by name, sorted.

    A module whose name begins with an underscore holds no tool.

    Raises:
        ConfigurationError: a module can't be imported, or does not declare exactly one tool of the module's name.
    """
    paths = importlib.import_module(package).__path__
    names = sorted(module.name for module in pkgutil.iter_modules(paths) if not module.name.startswith("_"))
    return {name: load_tool(f"{package}.{name}") for name in names}


def find_library(package: str = LIBRARY) -> dict[str, str]:
    """Return the modules of the tools that ship, by the tools' names, sorted; none of them is imported.

    They stand in packages of a package, by what they are for. A package that is not there has none.

    Raises:
        ConfigurationError: two modules have one name.
    """
    try:
        paths = importlib.import_module(package).__path__
    except ModuleNotFoundError:
        return {}
    found: dict[str, str] = {}
    for room in sorted(one.name for one in pkgutil.iter_modules(paths) if one.ispkg):
        folders = [str(Path(path, room)) for path in paths]
        for name in sorted(one.name for one in pkgutil.iter_modules(folders) if not one.name.startswith("_")):
            module = f"{package}.{room}.{name}"
            if name in found:
                raise make_declaration_error(
                    f"{module.replace('.', '/')}.py", f"{found[name]} is already a tool of this name", "rename one"
                )
            found[name] = module
    return dict(sorted(found.items()))


def load_tool(module_name: str) -> AnyTool:
    """Import a module and return the tool it declares.

    Raises:
        ConfigurationError: it can't be imported, or does not declare exactly one tool of the module's name.
    """
    expected = module_name.rsplit(".", 1)[-1]
    where = f"{module_name.replace('.', '/')}.py"
    if not re.fullmatch(TOOL_PATTERN, expected):
        raise make_declaration_error(
            where,
            f"the file's name is not a valid tool name (it has {len(expected)} characters)",
            f"begin with a small letter, and use small letters, digits and underscores: at most {TOOL_CHARACTERS}, "
            "since providers take no longer names",
        )
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # a boundary: what a tool's author wrote may raise anything
        raise _explain_failure(error, where) from error
    # vars() may name one tool twice (an alias); tools that were imported from elsewhere are not this module's.
    declared = {id(value): value for value in vars(module).values() if _is_declared_in(value, module_name)}
    tools: list[AnyTool] = list(declared.values())
    if len(tools) != 1:
        found = ", ".join(tool.name for tool in tools) or "none"
        last = tools[-1].function if tools else None
        raise make_declaration_error(
            _locate(where, last), f"it declares {len(tools)} tools ({found})", "declare exactly one @tool in a file"
        )
    if tools[0].name != expected:
        raise make_declaration_error(
            _locate(where, tools[0].function),
            f"its tool is named '{tools[0].name}'",
            f"name the function '{expected}', or the file {tools[0].name}.py",
        )
    _refuse_twin(module, tools[0], where)
    return tools[0]


def _explain_failure(error: BaseException, where: str) -> ConfigurationError:
    """Return the error of a module that can't be imported: in which line, what is wrong, what to do."""
    place, fix = _find_line(error, where), "correct this line, or what it imports"
    if isinstance(error, ConfigurationError):
        if _PLACE.search(error.message):
            return error
        return ConfigurationError(f"{place}: {error.message}", field=error.field, fix=error.fix)
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        return make_declaration_error(
            place, f"{error.title} is not valid: {field}: {first['msg']}", "correct this line"
        )
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith(("functions", "pentad")):
        fix = (
            f"add the package of '{error.name}' to requirements/tools.in, run 'make lock' and 'make env', and name "
            "it in packages= of @tool"
        )
    return make_declaration_error(place, f"it can't be imported: {type(error).__name__}: {error}", fix)


def _refuse_twin(module: ModuleType, tool: AnyTool, where: str) -> None:
    """Refuse a second function of a tool's name: the last one would take the place of the first without a word.

    Raises:
        ConfigurationError: it names the line of the first.
    """
    try:
        code = ast.parse(inspect.getsource(module))
    except (OSError, SyntaxError, TypeError):  # no source to be had, such as of a zip
        return
    lines = [
        one.decorator_list[0].lineno
        for one in code.body
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name == tool.name and one.decorator_list
    ]
    if len(lines) > 1:
        raise make_declaration_error(
            f"{where}:{lines[-1]}", f"the tool '{tool.name}' is declared twice, first in line {lines[0]}", "keep one"
        )


def _find_line(error: BaseException, where: str) -> str:
    """Return the line of a module that raised an error, as far as it is known."""
    if isinstance(error, SyntaxError) and (error.filename or "").endswith(where):
        return f"{where}:{error.lineno or 1}"
    lines = [line.lineno for line in traceback.extract_tb(error.__traceback__) if line.filename.endswith(where)]
    return f"{where}:{lines[-1] or 1}" if lines else f"{where}:1"


def _locate(where: str, function: Any) -> str:
    code = getattr(function, "__code__", None)
    line = code.co_firstlineno if code is not None and code.co_filename.endswith(where) else 1
    return f"{where}:{line}"


def _is_declared_in(value: object, module_name: str) -> bool:
    return isinstance(value, Tool) and value.module == module_name
