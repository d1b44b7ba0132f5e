"""Values of secrets that this process has read, masked wherever they show: as they are, and in the usual encodings.

A form or a name tells most secrets (`pentad.domain.secrets.mask`); a password of plain words has neither. What a tool
has read is known to its process, so it is masked by its value: in results, errors and logs.
"""

import base64
import html
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import quote, quote_plus

SHORTEST: Final = 6
"""Characters: what is shorter would mask words of every text."""
MOST_OF_ONE: Final = 256
"""Values of one secret that may be added beside its whole text."""
_MOST: Final = 2 * (MOST_OF_ONE + 1)
"""All of two secrets at their largest: the one that is read last pushes out nothing of the one before."""
_LONGEST: Final = 65_536
"""Characters, which is all that Secrets Manager stores of one secret (its quota is 65,536 bytes)."""
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{8,262144}={0,2}")
_URL_SAFE: Final = str.maketrans("-_", "+/")


class KnownSecrets:
    """Values to mask, of which the ones that were used last are kept."""

    def __init__(self) -> None:
        self._forms: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        """Return how many there are, never which."""
        return f"KnownSecrets({len(self._forms)})"

    @property
    def has_any(self) -> bool:
        """Whether there is anything to mask."""
        return bool(self._forms)

    def add(self, *values: str) -> None:
        """Mask these from now on; values that are too short to be told from words are left out."""
        with self._lock:
            for value in values:
                if not SHORTEST <= len(value) <= _LONGEST:
                    continue
                if value not in self._forms:
                    self._forms[value] = _list_forms(value)
                self._forms.move_to_end(value)
                while len(self._forms) > _MOST:
                    self._forms.popitem(last=False)

    @contextmanager
    def forget_after(self) -> Iterator[None]:
        """Forget at the end what was added inside."""
        with self._lock:
            before = OrderedDict(self._forms)
        try:
            yield
        finally:
            with self._lock:
                self._forms = before

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._forms.clear()

    def mask(self, text: str, by: str) -> str:
        """Return a text with every known value replaced.

        Args:
            text: any text.
            by: stands in the place of a value.
        """
        if not self._forms or len(text) < SHORTEST:
            return text
        known = list(self._forms.items())
        for form in sorted({form for _, forms in known for form in forms if form in text}, key=len, reverse=True):
            text = text.replace(form, by)
        values = [value.encode("utf-8", "replace") for value, _ in known]
        return _BASE64.sub(lambda found: _mask_base64(found[0], values, by), text)


KNOWN: Final = KnownSecrets()
"""Of this process."""


def is_known_number(value: int | float) -> bool:
    """Tell if a number of JSON is, or holds, a known value: 48151623 as the text "48151623" does."""
    if isinstance(value, bool) or not KNOWN.has_any:
        return False
    text = json.dumps(value).removesuffix(".0")
    return KNOWN.mask(text, "") != text


def _list_forms(value: str) -> tuple[str, ...]:
    """Return a value as texts may show it."""
    data = value.encode("utf-8", "replace")
    forms = {
        value,
        quote(value, safe=""),
        quote(value),
        quote(value, safe="").lower(),
        quote_plus(value),
        quote(quote(value, safe=""), safe=""),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(value)[1:-1])[1:-1],
        value.replace("/", "\\/"),
        repr(value)[1:-1],
        html.escape(value),
        html.escape(value, quote=False),
        data.hex(),
        data.hex().upper(),
        base64.b32encode(data).decode().rstrip("="),
    }
    return tuple(form for form in forms if len(form) >= SHORTEST)


def _mask_base64(text: str, values: list[bytes], by: str) -> str:
    """Return what may be base64, or the mask where a value stands in it, wherever in it that begins.

    So "user:password" of a Basic header is found as well.
    """
    plain = text.rstrip("=").translate(_URL_SAFE)
    for start in range(4):
        part = plain[start:]
        part = part[: len(part) - (len(part) % 4 == 1)]
        decoded = base64.b64decode(part + "=" * (-len(part) % 4))
        if any(value in decoded for value in values):
            return by
    return text
