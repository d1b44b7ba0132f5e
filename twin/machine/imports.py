"""Import moto's interpreter without moto's Batch, which brings EC2 and ECS with it: a quarter of a twin's start.

The interpreter takes one enumeration from `moto.batch.utils`. While it is imported, an empty package stands in for
`moto.batch`, so that only that module is loaded; whoever imports Batch later gets all of it.
"""

import sys
import types
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_PACKAGE: Final = "moto.batch"
_MODULES: Final = (_PACKAGE, f"{_PACKAGE}.utils")
_INTERPRETER: Final = "moto.stepfunctions.parser.models"


def import_interpreter() -> None:
    """Import the interpreter; nothing but that where Batch is loaded already, or moto has moved it."""
    moto = find_spec("moto")
    folder = Path(moto.origin).parent / "batch" if moto is not None and moto.origin else None
    if _PACKAGE in sys.modules or folder is None or not (folder / "utils.py").is_file():
        import_module(_INTERPRETER)
        return
    stand_in = types.ModuleType(_PACKAGE)
    stand_in.__path__ = [str(folder)]
    sys.modules[_PACKAGE] = stand_in
    try:
        import_module(_INTERPRETER)
    finally:
        for name in _MODULES:
            sys.modules.pop(name, None)


import_interpreter()
