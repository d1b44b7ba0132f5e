"""Apply every patch of moto in this process; print what is patched and by which module, as JSON."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from twin.front.backend import LASTING
from twin.moto_patches import alarms, hooks, metrics, schedules
from twin.moto_patches.patching import Patches
from twin.moto_patches.stepfunctions import install

_found: dict[str, str] = {}


def _name(owner: Any, attribute: str) -> str:
    path = owner.__name__ if isinstance(owner, ModuleType) else owner.__qualname__
    return f"{path.rpartition('.')[2]}.{attribute}"


def _caller() -> str:
    """Return the module that patches, as a path in `twin/moto_patches`."""
    frame = sys._getframe(2)
    folder = str(Path(hooks.__file__).parent)
    return frame.f_code.co_filename.removeprefix(folder).lstrip("/")


def main() -> None:
    """Collect and print."""
    set_attribute, replace_everywhere = Patches.set_attribute, Patches.replace_everywhere

    def noted(self: Patches, owner: Any, name: str, value: Any) -> Any:
        if not _caller().endswith("patching.py"):
            _found[_name(owner, name)] = _caller()
        return set_attribute(self, owner, name, value)

    def noted_everywhere(self: Patches, original: Any, replacement: Any) -> None:
        _found[f"every {getattr(original, '__name__', 'TMP_THREADS')}"] = _caller()
        replace_everywhere(self, original, replacement)

    setattr(Patches, "set_attribute", noted)  # noqa: B010 - mypy
    setattr(Patches, "replace_everywhere", noted_everywhere)  # noqa: B010 - mypy
    for module in (*LASTING, alarms):
        module.apply(Patches())
    metrics.apply(Patches(), on_metrics=lambda *_: None, on_state=lambda *_: None)
    schedules.apply(Patches(), check=lambda expression, timezone: None, changed=lambda: None)
    hooks.MotoHooks(on_event=lambda *_: None, on_object=lambda *_: None, on_queue=lambda _: None)
    install.install(lambda service, role_arn: None)
    sys.stdout.write(json.dumps(_found))


if __name__ == "__main__":
    main()
