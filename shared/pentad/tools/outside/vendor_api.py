"""Ask a vendor's HTTP API, and tell its refusals by what they mean for the call."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote

from pentad.domain.display.unicode_text import replace_halves
from pentad.domain.errors import (
    ConfigurationError,
    EffectUncertain,
    NotFound,
    PentadError,
    RecordChanged,
    ToolFailed,
    ToolThrottled,
    ToolUnavailable,
)
from pentad.tools.outside.ports import HttpAnswer, HttpClient

_MAX_WORDS = 300
_READING = frozenset({"GET", "HEAD", "REPORT", "PROPFIND"})
_LOOK = "check whether it was done before asking again"
_CODE = re.compile(r"[^\w.: -]")
_Read = TypeVar("_Read")


@dataclass(frozen=True)
class VendorError:
    """What a vendor says of a request that it refused.

    Args:
        code: its name for it, such as ``REQUEST_LIMIT_EXCEEDED``.
        words: its sentence, which is text from outside.
        limited: a limit of the vendor is reached, nothing was done, and a later try may succeed.
        final: nothing was done, and no try of this day will succeed.
    """

    code: str = ""
    words: str = ""
    limited: bool = False
    final: bool = False


class VendorApi:
    """One vendor's API below one address.

    Args:
        http: speaks to it.
        url: where its paths begin.
        name: the vendor, for messages.
        authorize: returns the headers that carry the credential; asked for each request, so a rotated one counts.
        read_error: reads the vendor's own error; never raises.
        renew: lets ``authorize`` return another credential, or raises `ToolFailed`; None where there is no other.
        seconds: for one request.
    """

    def __init__(
        self,
        http: HttpClient,
        url: str,
        *,
        name: str,
        authorize: Callable[[], Mapping[str, str]],
        read_error: Callable[[HttpAnswer], VendorError],
        renew: Callable[[], None] | None = None,
        seconds: float = 20.0,
    ) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._name = name
        self._authorize = authorize
        self.read_error = read_error
        self._renew = renew
        self._seconds = seconds

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (),
        reads: bool = False,
    ) -> HttpAnswer:
        """Return an answer of the vendor that is no refusal.

        Args:
            method: HTTP's.
            path: below the API's address; made with `join_path`.
            params: of the query.
            json: sent as JSON.
            body: sent as it is.
            headers: beside the credential's.
            accept: statuses that are answers for this request, though they are refusals for others.
            reads: it changes nothing, though its method may.

        Raises:
            ToolThrottled: a limit is reached, and nothing was done.
            ToolUnavailable: no clear answer: what was asked may have been done.
            NotFound: there is no such thing, or it was deleted.
            RecordChanged: a condition of the request did not hold; nothing was done.
            ConfigurationError: the credential is not accepted.
            ToolFailed: the request is refused; nothing was done.
        """

        def send() -> HttpAnswer:
            sent = {**self._get_credential(), **(headers or {})}
            return self._http.request(
                method, f"{self._url}{path}", params=params, json=json, body=body, headers=sent, timeout=self._seconds
            )

        try:
            answer = send()
            if answer.status == 401 and self._can_renew():
                answer = send()
        except ToolFailed as error:
            # The client names a field of what it did not send. An answer that is too large, or no HTTP, has none.
            if error.field is not None or reads or method in _READING:
                raise
            raise ToolUnavailable(f"{error.message}: what was asked may have been done") from error
        if 200 <= answer.status < 300 or answer.status in accept:
            return answer
        self._refuse(answer)

    def parse(self, answer: HttpAnswer, read: Callable[[Any], _Read]) -> _Read:
        """Return what is read of an answer's JSON.

        Args:
            answer: that is no refusal.
            read: takes the JSON; what it does not find there, it may stumble over.

        Raises:
            ToolFailed: the answer has another form than the vendor documents. Nothing of it is in the message.
        """
        found = answer.json()
        try:
            return read(found)
        except (LookupError, TypeError, AttributeError, ValueError):
            raise ToolFailed(f"{self._name} answered {answer.status} in an unknown format") from None

    def _get_credential(self) -> Mapping[str, str]:
        try:
            return self._authorize()
        except ToolUnavailable as error:
            raise ToolThrottled(f"{error.message}; nothing was done", retry_after=error.retry_after) from error

    def _can_renew(self) -> bool:
        """Take another credential, where there is one: what was refused for its credential did nothing."""
        if self._renew is None:
            return False
        try:
            self._renew()
        except ToolFailed:
            return False
        except ToolUnavailable as error:
            raise ToolThrottled(f"{error.message}; nothing was done", retry_after=error.retry_after) from error
        return True

    def _refuse(self, answer: HttpAnswer) -> NoReturn:
        error, status = self.read_error(answer), answer.status
        told = f"{self._name} answered {status}" + (f" ({_CODE.sub('', error.code)[:80]})" if error.code else "")
        words = clean_words(error.words)
        if error.final:
            raise ToolFailed(f"{told}: a limit of the whole day is reached; nothing was done", fix="try tomorrow")
        if status == 429 or error.limited:
            raise ToolThrottled(f"{told}: its limit is reached; nothing was done", retry_after=answer.retry_after)
        if status == 401:
            raise ConfigurationError(
                f"{told}: it does not accept the credential; nothing was done",
                field="secret",
                fix="renew the tool's secret",
            )
        if status in (404, 410):
            raise NotFound(f"{told}: no such thing{_join(words)}")
        if status == 412:
            raise RecordChanged(f"{told}: it was changed by somebody else meanwhile; nothing was done")
        if status in (408, 425) or status >= 500:
            raise ToolUnavailable(f"{told}: what was asked may have been done", retry_after=answer.retry_after)
        raise ToolFailed(f"{told}: it refuses the request{_join(words)}; nothing was done")


@contextmanager
def begin_with_look(*, again: bool) -> Iterator[None]:
    """Tell what fails inside as a failure of looking: this try of the call has changed nothing yet.

    Args:
        again: an earlier try may have changed something, so a refusal of the look says nothing of that.

    Raises:
        ToolThrottled: no clear answer; a later try may begin afresh.
        EffectUncertain: an earlier try may have done it, and the vendor does not let us look.
    """
    try:
        yield
    except ToolUnavailable as error:
        told = f"{_shorten(error)} when it was only read; nothing was done{' by this try' if again else ''}"
        raise ToolThrottled(told, retry_after=error.retry_after) from error
    except (ToolFailed, ConfigurationError) as error:
        if not again:
            raise
        raise EffectUncertain(
            f"an earlier try may have done it, and it can't be looked for: {_shorten(error)}; it was not repeated",
            fix=_LOOK,
        ) from error


@contextmanager
def read_what_is_there() -> Iterator[None]:
    """Tell what fails inside as the reading of a thing that is there: an earlier try of the call made it.

    Raises:
        ToolUnavailable: no clear answer; the next try finds it.
        EffectUncertain: the vendor does not let us read it.
    """
    try:
        yield
    except ToolThrottled as error:
        told = f"{_shorten(error)}: it is there already, and could not be read"
        raise ToolUnavailable(told, retry_after=error.retry_after) from error
    except (ToolFailed, ConfigurationError) as error:
        raise EffectUncertain(f"{_shorten(error)}: it is there already, and could not be read", fix=_LOOK) from error


def _shorten(error: PentadError) -> str:
    """Return who answered and how, without what follows from that for the request by itself."""
    return error.message.partition(":")[0]


def join_path(*parts: str) -> str:
    """Return a path of parts, each of which stays one part whatever is in it."""
    return "".join(f"/{_escape_part(part)}" for part in parts)


def _escape_part(part: str) -> str:
    # "." and ".." would be taken for steps in the path by whoever normalises it.
    return part.replace(".", "%2E") if part in (".", "..") else quote(replace_halves(part), safe="@:")


def clean_words(words: object) -> str:
    """Return a vendor's sentence in one line, without what is not printable, cut at 300 characters."""
    text = words[: 4 * _MAX_WORDS] if isinstance(words, str) else ""
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())[:_MAX_WORDS]


def read_json_object(answer: HttpAnswer) -> dict[str, Any]:
    """Return the JSON object of an error's body, or an empty one: what stands before a vendor answers in HTML."""
    try:
        found = answer.json()
    except ToolFailed:
        return {}
    return found if isinstance(found, dict) else {}


def read_made_id(answer: HttpAnswer, name: str | None) -> str:
    """Return the id of what a request has made.

    Args:
        answer: of the request, which succeeded.
        name: of the id in the answer's object; None where the answer is a list of ids, or an id.

    Raises:
        EffectUncertain: the answer has none, as when something between us and the vendor answered in its place.
    """
    try:
        found = answer.json()
        found = found[name] if name is not None else found[0] if isinstance(found, list) else found
    except (ToolFailed, LookupError, TypeError):
        found = None
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise EffectUncertain(
            f"the answer {answer.status} has no id: it was probably made, and was not repeated",
            fix=_LOOK,
        )
    return str(found)


def _join(words: str) -> str:
    return f", and says: {words}" if words else ""
