"""The one place where a text of a tool is made to fit for a model, and the whole of it is kept.

Both ends use it: the tool runner, which writes to the store itself, and a tool's function, which has an address for a
result that is too large for its answer. Where the whole can't be kept, the call is not lost for that: the model is told
that only a part of it is there.
"""

from collections.abc import Callable
from typing import Any, Final

from pentad.domain.errors import PentadError
from pentad.domain.runs import ToolCall
from pentad.tools.results.handles import make_handle, make_key
from pentad.tools.results.ports import PutWhole, WholePlace, WholeResults
from pentad.tools.results.shape import Fit, shape_text

MAX_WHOLE_BYTES: Final = 64_000_000
"""Of a result that is kept; of a larger one, its beginning."""
_PLAIN: Final = "[cut: the whole had {size:,} bytes, of which {kept:,} were kept]"
Told = Callable[[PentadError], None]


def fit_result(
    keep: Callable[[bytes], None], handle: str, text: str, limit: int, value: Any = None, *, told: Told | None = None
) -> str:
    """Return a text as it is, or the shown part of it once the whole is kept.

    Args:
        keep: stores the bytes.
        handle: the name under which they can be read then.
        text: cleaned, and with secrets masked.
        limit: bytes of UTF-8 that are shown at most.
        value: what the text is the JSON of, where that is known.
        told: hears of it where the whole could not be kept.
    """
    data = text.encode()
    if len(data) <= limit:
        return text
    try:
        keep(_bound(data))
    except PentadError as error:
        if told is not None:
            told(error)
        return shape_text(text, limit, value)
    return shape_text(text, limit, value, handle=handle)


def _bound(data: bytes) -> bytes:
    if len(data) <= MAX_WHOLE_BYTES:
        return data
    note = _PLAIN.format(size=len(data), kept=MAX_WHOLE_BYTES).encode()
    return data[: MAX_WHOLE_BYTES - len(note) - 1].decode(errors="ignore").encode() + b"\n" + note


class KeepResults:
    """Keeps results of runs.

    Args:
        store: of whole results; None shows parts and keeps nothing.
        told: hears of what could not be kept.
    """

    def __init__(self, store: WholeResults | None, told: Told | None = None) -> None:
        self._store = store
        self._told = told

    def make_fit(self, call: ToolCall) -> Fit:
        """Return what makes the results of one call fit."""
        store = self._store
        if store is None:
            return shape_text
        handle, key = _name_result(call)

        def fit(text: str, limit: int, value: Any = None) -> str:
            return fit_result(lambda data: store.put(key, data), handle, text, limit, value, told=self._told)

        return fit

    def sign(self, call: ToolCall, *, seconds: float) -> WholePlace | None:
        """Return where the call's own function may put its result for so long; None where nothing is kept."""
        if self._store is None:
            return None
        handle, key = _name_result(call)
        return WholePlace(handle=handle, url=self._store.sign_put(key, seconds=seconds))


def _name_result(call: ToolCall) -> tuple[str, str]:
    """Return the handle of a call's result, and its key in the store."""
    place = (call.tenant_id, call.run_id, call.step, call.index)
    return make_handle(*place), make_key(*place)


def make_remote_fit(place: WholePlace | None, upload: PutWhole | None) -> Fit:
    """Return what makes the result of a call fit in its tool's function.

    Args:
        place: where the whole may be put; None where nothing is kept.
        upload: puts it there; None where nothing can.
    """
    if place is None or upload is None:
        return shape_text

    def fit(text: str, limit: int, value: Any = None) -> str:
        return fit_result(lambda data: upload(place.url, data), place.handle, text, limit, value)

    return fit
