"""Reversible patches: every change to moto goes through here, so that a test can put moto back as it was."""

import sys
import threading
from collections.abc import Callable
from typing import Any, Final

_ABSENT: Final = object()
_PREFIX: Final = "moto.stepfunctions"


class Patches:
    """A list of changes that can be undone in reverse order."""

    def __init__(self) -> None:
        self.applied: list[tuple[Any, str]] = []
        self._undo: list[Callable[[], None]] = []

    def set_attribute(self, owner: Any, name: str, value: Any) -> Any:
        """Set `owner.name`, remember what was there, and return the former value (None where there was none)."""
        former = vars(owner).get(name, _ABSENT)
        setattr(owner, name, value)
        self.applied.append((owner, name))
        self._undo.append(lambda: delattr(owner, name) if former is _ABSENT else setattr(owner, name, former))
        return getattr(owner, name) if former is _ABSENT else former

    def replace_everywhere(self, original: object, replacement: object) -> None:
        """Replace an object in every module of moto's Step Functions that imported it by name."""
        for module_name, module in list(sys.modules.items()):
            if not module_name.startswith(_PREFIX) or module is None:
                continue
            for name, value in list(vars(module).items()):
                if value is original:
                    self.set_attribute(module, name, replacement)

    def on_undo(self, action: Callable[[], None]) -> None:
        """Run `action` when the patches are undone."""
        self._undo.append(action)

    def undo(self) -> None:
        """Put everything back, last change first."""
        while self._undo:
            self._undo.pop()()


_lasting = Patches()
_lasting_lock = threading.Lock()
_lasting_done: set[Callable[[Patches], None]] = set()


def apply_once(apply: Callable[[Patches], None]) -> Patches:
    """Apply patches that last as long as the process: they repair what is never right. Idempotent.

    Returns:
        All patches that last.
    """
    with _lasting_lock:
        if apply not in _lasting_done:
            apply(_lasting)
            _lasting_done.add(apply)
        return _lasting
