"""Make boto3 clients with bounded time and one retry owner, each with its first use.

botocore's own retries are on for AWS services (standard mode, three attempts in all): they are the retry owner of
DynamoDB, S3, SQS and the like. Calls to model providers have another owner: the gateway.
"""

import threading
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, Literal

import boto3
from botocore.config import Config

ServiceName = Literal[
    "comprehend",
    "dynamodb",
    "events",
    "kms",
    "lambda",
    "logs",
    "pinpoint-sms-voice-v2",
    "s3",
    "s3vectors",
    "secretsmanager",
    "sesv2",
    "sns",
    "sqs",
    "stepfunctions",
    "sts",
]

_CONNECT_SECONDS = 2.0
_READ_SECONDS = 10.0
_SESSION_CLIENTS = 16
_MAKING = threading.Lock()
"""boto3's default session is not safe to make clients from several threads."""
_listeners: list[Callable[[str], None]] = []


def tell_requests(listener: Callable[[str], None]) -> None:
    """Tell a listener the URL of each request of these clients before it is sent, also of those that are made already.

    Args:
        listener: told once a request and attempt; the same one again is told no more often.
    """
    if listener not in _listeners:
        _listeners.append(listener)


class LazyClient:
    """A boto3 client that is made when its first operation is asked for.

    Making one reads the service's model (10 to 50 ms), and most invocations need few of a function's services. Nothing
    is made before Lambda's snapshot either.

    Args:
        make: makes the client.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._made is None:
            with _MAKING:
                if self._made is None:
                    self._made = self._make()
        return getattr(self._made, name)


@cache
def get_client(service: ServiceName, *, read_timeout: float = _READ_SECONDS, attempts: int = 3) -> LazyClient:
    """Return the process's client of a service; the same arguments give the same client.

    Args:
        service: boto3's name of the service.
        read_timeout: seconds to wait for an answer.
        attempts: requests in all, the first included.
    """
    config = _make_config(read_timeout, attempts)
    return LazyClient(lambda: _make_client(service, config=config))


@lru_cache(maxsize=_SESSION_CLIENTS)
def get_session_client(
    service: Literal["dynamodb", "s3", "secretsmanager"],
    *,
    access_key_id: str,
    secret_access_key: str,
    session_token: str,
    attempts: int = 3,
) -> LazyClient:
    """Return a client that acts with credentials of a session in the place of the function's own.

    The same arguments give the same client, as long as it is among those that were used last.

    Args:
        service: boto3's name of the service.
        access_key_id: of the session.
        secret_access_key: of the session.
        session_token: of the session.
        attempts: requests in all, the first included.
    """
    config = _make_config(_READ_SECONDS, attempts)
    return LazyClient(
        lambda: _make_client(
            service,
            config=config,
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
            aws_session_token=session_token,
        )
    )


def get_credentials() -> Any:
    """Return the process's own credentials, for requests that are signed by hand."""
    with _MAKING:
        return boto3.DEFAULT_SESSION.get_credentials() if boto3.DEFAULT_SESSION else boto3.Session().get_credentials()


def _make_client(service: ServiceName, **options: Any) -> Any:
    client = boto3.client(service, **options)
    client.meta.events.register("before-send", _tell)
    return client


def _tell(request: Any, **_: Any) -> None:
    for listener in _listeners:
        listener(request.url)


def _make_config(read_timeout: float, attempts: int) -> Config:
    return Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
        # A conversation with the regional endpoint only; the global one is another failure domain.
        s3={"addressing_style": "auto", "us_east_1_regional_endpoint": "regional"},
        tcp_keepalive=True,
    )
