"""What the adapters of both SDKs share: clients made once, time and size bounded, failures from one table.

Both SDKs are of one make: the same client options, the same exception classes, both on httpx2. Their own retries,
redirects and telemetry are off, so one `send` is one request on the wire. Replies are read as raw JSON and not
through the SDKs' models: those take a half-built reply in silence, and lose what the way back needs byte for byte.
"""

import contextlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from pentad.domain.errors import ConfigurationError, PentadError
from pentad.domain.models import Outcome
from pentad.models.providers import strictjson
from pentad.models.providers.backoff import read_retry_after
from pentad.models.providers.exchange import (
    ProviderCredentials,
    ProviderFailure,
    ProviderReply,
    ProviderVectors,
    describe_fault,
)
from pentad.models.providers.outcomes import (
    FailureSignal,
    Rule,
    classify,
    find_reason,
    refuses_citations,
    refuses_schema,
)
from pentad.models.providers.ports import CredentialSource

if TYPE_CHECKING:
    import ssl

R = TypeVar("R", ProviderReply, ProviderVectors)

CONNECT_SECONDS = 3.0
_AT_ONCE_SECONDS = 1.0
"""A connection that breaks sooner was an old one that the provider had closed: it had not begun to answer."""
MAX_REPLY_BYTES = 32 * 1024 * 1024
_WRITTEN = re.compile(r"\s*(application/([\w.+-]+\+)?json|text/event-stream)\b", re.IGNORECASE)
"""Media types in which providers answer. A proxy's page is HTML, or plain text."""
_MAX_CLIENTS = 4  # one is the rule; two while a key is rotated


@cache
def get_trust() -> "ssl.SSLContext":
    """Return what the clients of a process check servers with, as each would make it for itself.

    To read the list of authorities takes 20 ms of a core; the SDKs' clients read it anew for every transport.
    """
    import httpx2

    return httpx2.create_ssl_context()


class ClientCache:
    """A client for each credential, made on first use and kept; the least recently used goes when there are too many.

    Args:
        make: makes a client.
    """

    def __init__(self, make: Callable[[ProviderCredentials], Any]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._clients: OrderedDict[ProviderCredentials, Any] = OrderedDict()

    def get_client(self, credentials: ProviderCredentials) -> Any:
        """Return the client of a credential."""
        with self._lock:
            if credentials not in self._clients:
                self._clients[credentials] = self._make(credentials)
            self._clients.move_to_end(credentials)
            while len(self._clients) > _MAX_CLIENTS:
                self._clients.popitem(last=False)[1].close()
            return self._clients[credentials]

    def close(self) -> None:
        """Close the connections of all clients."""
        with self._lock:
            while self._clients:
                self._clients.popitem()[1].close()


SIMULATED_HEADER = "x-simulated"
"""By which a server says that rules made its reply, and no model."""


@dataclass(frozen=True)
class WireReply:
    """A 200 reply: its JSON (see `pentad.models.providers.strictjson`) and the provider's id of the request.

    ``absurd`` says what is wrong with the usage that it came with, which is not in the body then.
    ``simulated`` says that plain rules made it, and no model. ``first_byte_ms`` is from the request to its first byte.
    """

    body: dict[str, Any]
    request_id: str | None
    absurd: str = ""
    simulated: bool = False
    first_byte_ms: int | None = None


@dataclass(frozen=True)
class Provider:
    """What differs between the SDKs.

    Args:
        name: the provider's name.
        sdk: returns the SDK's module; called when a request is sent, so that nothing is imported before.
        rules: its table of outcomes.
        request_id_header: where it says its id of a request.
        error_type_header: where it says what kind of error it is, if not in the body.
        unsigned: returns what is raised where a request could not be signed; nothing was sent then.
    """

    name: str
    sdk: Callable[[], Any]
    rules: tuple[Rule, ...]
    request_id_header: str
    error_type_header: str = ""
    unsigned: Callable[[], tuple[type[Exception], ...]] = tuple


def get_credentials(source: CredentialSource, provider: str) -> ProviderCredentials:
    """Return the credential.

    Raises:
        ProviderFailure: there is none; nothing was sent.
    """
    try:
        return source.get()
    except ConfigurationError as error:
        raise ProviderFailure(
            Outcome.AUTHENTICATION, f"{provider}: no usable credential", scope="provider", sent=False
        ) from error


def exchange(
    provider: Provider,
    open_response: Callable[[Any], Any],
    until: float,
    clock: Callable[[], float] = time.time,
    *,
    reject: Callable[[], None] | None = None,
) -> WireReply:
    """Send one request and return its JSON.

    Args:
        provider: whose it is.
        open_response: given httpx2's timeout, opens the SDK's streamed response (a context manager).
        until: when it must be over, in the clock's seconds. What is left when the request goes out bounds each wait on
            the socket, and what arrives in drops is cut off then. An SDK that had to be imported first, or a secret
            that had to be fetched, has used up its part.
        clock: seconds.
        reject: called where the provider does not accept the credential (401), so that it is read anew next time.

    Raises:
        ProviderFailure: there is no usable reply.
    """
    import httpx2

    timeout = until - clock()
    if timeout <= 0:
        raise ProviderFailure(Outcome.TIMEOUT, "no time left to send", sent=False)
    limits = httpx2.Timeout(timeout, connect=min(CONNECT_SECONDS, timeout))
    began = clock()
    progress = _Progress(began)
    with _translate_errors(provider, clock, reject, progress), open_response(limits) as response:
        progress.is_received = True
        first_byte_ms = max(0, round((clock() - began) * 1000))
        request_id = _clean_identifier(response.headers.get(provider.request_id_header)) or None
        simulated = response.headers.get(SIMULATED_HEADER) is not None
        of_model = _WRITTEN.match(str(response.headers.get("content-type"))) is not None
        data = _read(response, until, clock, request_id)
    body, absurd = _parse_reply(data, request_id, of_model=of_model)
    return WireReply(body, request_id, absurd, simulated, first_byte_ms)


def decode_reply(reply: WireReply, decode: Callable[[dict[str, Any]], R]) -> R:
    """Return what an adapter makes of a reply's body.

    Args:
        reply: the reply, which is paid for.
        decode: reads the body.

    Raises:
        ProviderFailure: it can't be used, or made the reader fail where nobody expected it.
    """
    try:
        found = decode(reply.body)
    except ProviderFailure as failure:
        failure.worked = failure.worked or bool(reply.absurd)
        raise
    except Exception as error:
        # Without the cause: an exception of a reader may repeat what it read.
        raise ProviderFailure(Outcome.FAULT, describe_fault(error), request_id=reply.request_id, worked=True) from None
    found = replace(found, first_byte_ms=reply.first_byte_ms)
    if reply.simulated:
        found = replace(found, simulated=True)
    return replace(found, estimated=reply.absurd) if reply.absurd else found


def _read(response: Any, until: float, clock: Callable[[], float], request_id: str | None) -> bytes:
    parts: list[bytes] = []
    size = 0
    for chunk in response.iter_bytes():  # as they come: a chunk size would wait until it is full
        parts.append(chunk)
        size += len(chunk)
        if size > MAX_REPLY_BYTES:
            raise ProviderFailure(
                Outcome.MALFORMED, "the reply is larger than 32 MiB", request_id=request_id, worked=True
            )
        if clock() > until:
            raise ProviderFailure(Outcome.TIMEOUT, "the reply did not end in time", request_id=request_id, worked=True)
    return b"".join(parts)


def _parse_reply(data: bytes, request_id: str | None, *, of_model: bool) -> tuple[dict[str, Any], str]:
    """Return a reply's JSON, and what is wrong with its usage, which is not in it then.

    Args:
        data: the body.
        request_id: the provider's.
        of_model: by its media type it is the provider's own, and no page of a proxy.
    """
    try:
        body = _parse_object(data, request_id, of_model=of_model)
        absurd = strictjson.find_absurd_count(body.get("usage"))
    except ProviderFailure:
        raise
    except Exception as error:  # a boundary, as in decode_reply: the reply is paid for
        raise ProviderFailure(Outcome.FAULT, describe_fault(error), request_id=request_id, worked=True) from None
    if absurd:
        del body["usage"]
    return body, absurd


def _parse_object(data: bytes, request_id: str | None, *, of_model: bool) -> dict[str, Any]:
    # What begins as JSON, or is called so, came from a provider that has answered 200 and bills it.
    worked = of_model or data.lstrip()[:1] == b"{"
    try:
        body = strictjson.read(data)
    except ValueError:  # HTML of a proxy, half a JSON, bytes that are no text
        raise ProviderFailure(
            Outcome.MALFORMED, "200 without valid JSON", request_id=request_id, worked=worked
        ) from None
    if not isinstance(body, dict):
        raise ProviderFailure(Outcome.MALFORMED, "200 without a JSON object", request_id=request_id, worked=worked)
    return body


@dataclass
class _Progress:
    """How far a request has come."""

    began: float
    is_received: bool = False
    """The reply's status and headers are here."""

    def has_worked(self, error: BaseException, now: float) -> bool:
        """Tell if a provider may have begun to answer a request that was cut off by a timeout or a fault."""
        import httpx2

        at: BaseException | None = error
        while at is not None:
            if isinstance(at, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout | httpx2.WriteTimeout):
                return False
            at = at.__cause__
        return self.is_received or now - self.began >= _AT_ONCE_SECONDS


@contextlib.contextmanager
def _translate_errors(
    provider: Provider, clock: Callable[[], float], reject: Callable[[], None] | None, progress: _Progress
) -> Iterator[None]:
    """Translate what the SDK and httpx2 raise.

    The cause is cut off ("from None"): providers repeat parts of prompts and of keys in their messages, and a
    traceback prints them.
    """
    import httpx2

    sdk = provider.sdk()
    try:
        yield
    except sdk.APIStatusError as error:
        if error.status_code == 401 and reject is not None:
            reject()
        raise _make_failure(provider, error, clock()) from None
    except (sdk.APITimeoutError, httpx2.TimeoutException) as error:
        worked = progress.has_worked(error, clock())
        raise ProviderFailure(Outcome.TIMEOUT, type(error).__name__, worked=worked) from None
    except (sdk.APIConnectionError, httpx2.TransportError, httpx2.StreamError) as error:
        worked = progress.has_worked(error, clock())
        raise ProviderFailure(Outcome.CONNECTION, type(error).__name__, scope="provider", worked=worked) from None
    except provider.unsigned() as error:
        what = f"{provider.name}: no usable credential ({type(error).__name__})"
        raise ProviderFailure(Outcome.AUTHENTICATION, what, scope="provider", sent=False) from None
    except UnicodeEncodeError:  # half of a surrogate pair in someone's words: it can't be put on any wire
        raise ProviderFailure(Outcome.CALLER_ERROR, "the request holds text that is not Unicode", sent=False) from None
    except (sdk.APIError, httpx2.HTTPError) as error:  # such as a 200 whose compressed body is broken
        raise ProviderFailure(Outcome.MALFORMED, type(error).__name__, worked=progress.is_received) from None
    except (ProviderFailure, PentadError):
        raise
    except Exception as error:  # a boundary: only here is it known whether the request may have been billed
        worked = progress.has_worked(error, clock())
        raise ProviderFailure(Outcome.FAULT, describe_fault(error), worked=worked) from None


def _make_failure(provider: Provider, error: Any, now: float) -> ProviderFailure:
    headers = error.response.headers
    # A URI may follow the name in the header, after a colon.
    said = str(headers.get(provider.error_type_header) or "").partition(":")[0] if provider.error_type_header else ""
    kind = _clean_identifier(getattr(error, "type", None)) or _clean_identifier(said)
    code = _clean_identifier(getattr(error, "code", None) or _get_error_code(error))
    signal = FailureSignal(error.status_code, kind, code, str(error.message))
    found = classify(provider.rules, signal)
    parts = [type(error).__name__, str(error.status_code), *filter(None, (kind, code))]
    failure = ProviderFailure(
        found.outcome,
        " ".join(parts),
        status=error.status_code,
        retry_after=read_retry_after(headers, now),
        should_retry=_SHOULD_RETRY.get(str(headers.get("x-should-retry")).casefold()),
        request_id=_clean_identifier(headers.get(provider.request_id_header)) or None,
        scope=found.scope,
    )
    failure.refuses_schema = refuses_schema(signal)
    failure.refuses_citations = refuses_citations(signal)
    failure.reason = find_reason(signal) if found.outcome is Outcome.CALLER_ERROR else None
    return failure


_SHOULD_RETRY = {"true": True, "false": False}


def _get_error_code(error: Any) -> object:
    return getattr(error, "error_code", None)


def _clean_identifier(value: object) -> str:
    """Return a provider's identifier if it looks like one: it goes on the ledger and into logs."""
    text = str(value) if value is not None else ""
    return text if re.fullmatch(r"[A-Za-z0-9_.:-]{1,128}", text) else ""
