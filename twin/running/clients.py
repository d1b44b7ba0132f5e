"""botocore clients of the local AWS: the administrator's and those of roles, made once each."""

import os
import threading
from typing import Any

import botocore.session
from botocore.config import Config

from twin.host import clocks
from twin.iam.principals import Principals

#: A Lambda function runs for up to 900 s, after it waited for a process, and a state machine's task waits for it.
_READ_SECONDS = 2_710
_CONNECT_SECONDS = 5
_CONNECTIONS = 64


class Clients:
    """Makes clients against the front. Nothing of the user's own AWS settings is read.

    `validate` is off for state machines: what is wrong with a task's arguments is the service's to say.
    """

    def __init__(self, url: str, region: str, principals: Principals, *, validate: bool = True) -> None:
        self._url, self._region, self._principals = url, region, principals
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str | None], Any] = {}
        self._session = _make_isolated_session()
        self._config = Config(
            retries={"total_max_attempts": 1},
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            max_pool_connections=_CONNECTIONS,
            s3={"addressing_style": "path"},
            parameter_validation=validate,
            # StartSyncExecution would go to sync-127.0.0.1.
            inject_host_prefix=False,
        )

    def __call__(self, service: str, role_arn: str | None = None) -> Any:
        """Return the client of `service` for a role, or the administrator's without one."""
        key = (service, role_arn)
        with self._lock:
            if key not in self._made:
                self._made[key] = self._make(service, role_arn)
            return self._made[key]

    def close(self) -> None:
        """Close every client's connections."""
        with self._lock:
            made, self._made = self._made, {}
        for client in made.values():
            client.close()

    def _make(self, service: str, role_arn: str | None) -> Any:
        principals = self._principals
        keys = principals.administrator if role_arn is None else principals.issue(role_arn, "twin")
        client = self._session.create_client(
            service,
            region_name=self._region,
            endpoint_url=self._url,
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            aws_session_token=None if role_arn is None else keys.session_token,
            config=self._config,
        )
        client.meta.events.register("before-call.lambda.Invoke", _name_clock)
        return client


def _name_clock(params: dict[str, Any], **_: Any) -> None:
    """Send the id of the clock by which the caller waits, so that the host can hold it (see `twin.host.clocks`)."""
    clock_id = clocks.current_id()
    if clock_id is not None:
        params["headers"][clocks.HEADER] = clock_id


def _make_isolated_session() -> Any:
    """Return a session that knows no profile and no settings file: a broken ~/.aws must not break the twin."""
    nothing: Any = (None, None, None, None)
    nowhere: Any = (None, None, os.devnull, None)
    return botocore.session.Session(
        session_vars={"profile": nothing, "config_file": nowhere, "credentials_file": nowhere}
    )
