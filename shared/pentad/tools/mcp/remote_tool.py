"""A remote server's tool as a tool of ours, called through a client.

Before each call the server is asked whether the tool is still what was reviewed. A tool that has changed, or has gone,
is refused until somebody has looked at it.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.declarations.remote_tools import McpAuth, McpServerSpec
from pentad.domain.errors import ConfigurationError, ToolFailed, ToolThrottled, ToolUnavailable
from pentad.tools.declare.context import ToolContext
from pentad.tools.declare.declare import Tool
from pentad.tools.declare.reach import Reach
from pentad.tools.declare.schema_arguments import make_schema_model
from pentad.tools.declare.signature import ToolSignature
from pentad.tools.mcp.client import Connection, McpClient
from pentad.tools.mcp.contents import read_result
from pentad.tools.mcp.pinning import CONTEXT, compute_digest
from pentad.tools.outside.ports import Credential

MODULE = "functions.mcp.call"
"""What the function of every remote server holds."""
_MEMORY_MB = 256
_MOST_CONNECTIONS = 200
Connections = dict[str, Connection]


def make_remote_tool(server: McpServerSpec, spec: ToolSpec, connections: Connections) -> Tool[..., Any]:
    """Return one remote tool.

    Args:
        server: whose.
        spec: what the model and the policy know of it.
        connections: what the process keeps of its servers from call to call.
    """

    def run(**values: Any) -> str:
        context: ToolContext = values.pop(CONTEXT)
        return _call(server, spec, values, context, connections)

    run.__name__ = run.__qualname__ = spec.name
    run.__module__ = MODULE
    run.__doc__ = spec.description
    signature = ToolSignature(make_schema_model(spec.name, spec.input_schema), CONTEXT, TypeAdapter(str), False)
    secrets = () if server.auth.secret is None else (server.auth.secret,)
    hosts = () if server.auth.token_host is None else (server.auth.token_host,)
    return Tool(
        run,
        spec=spec,
        signature=signature,
        undo=None,
        grants=(),
        memory_mb=_MEMORY_MB,
        reach=Reach(secrets=secrets, egress=(find_place(server.url), *hosts)),
    )


def find_place(url: str) -> str:
    """Return what of a server's address its function may reach: the host, and its port where one is said."""
    scheme, _, rest = url.partition("://")
    place = rest.partition("/")[0].partition("?")[0]
    return f"{scheme}://{place}" if scheme == "http" else place


class RemoteCredential:
    """What tells a server who calls, for one call.

    Args:
        auth: how the server wants it.
        context: of the call.

    Raises:
        ConfigurationError: the secret is not stored, or holds nothing that a header can.
        ToolUnavailable: the store of secrets, or of tokens, did not answer.
    """

    def __init__(self, auth: McpAuth, context: ToolContext) -> None:
        self._auth = auth
        self._context = context
        self._credential = Credential("")
        self._value = ""
        if auth.kind == "oauth" and auth.secret is not None:
            self._value = context.access_token(auth.secret)
        elif auth.kind != "none" and auth.secret is not None:
            self._credential = context.secret(auth.secret)
        self.headers = self._build_headers()

    def renew(self) -> dict[str, str]:
        """Return the headers with another value: the server refused this one.

        Raises:
            ToolFailed: there is no other one.
            ConfigurationError, ToolUnavailable: as at first.
        """
        name = self._auth.secret
        if self._auth.kind == "none" or name is None:
            raise ToolFailed("the MCP server asks for a credential, and has none")
        if self._auth.kind == "oauth":
            self._value = self._context.access_token(name, refused=self._value)
        else:
            self._credential = self._context.renew_secret(name, self._credential)
        self.headers = self._build_headers()
        return self.headers

    def _build_headers(self) -> dict[str, str]:
        auth = self._auth
        if auth.kind == "none" or auth.secret is None:
            return {}
        value = self._value or (self._credential.fields.get("token") or self._credential.text).strip()
        if not value or not value.isascii() or not value.isprintable():
            raise ConfigurationError(
                f"the secret '{auth.secret}' holds no text that a header can", fix="store the token, or {'token': ...}"
            )
        return {auth.header: value} if auth.header is not None else {"Authorization": f"Bearer {value}"}


def _call(
    server: McpServerSpec, spec: ToolSpec, arguments: Mapping[str, Any], context: ToolContext, connections: Connections
) -> str:
    """Call a remote tool and return its result's text.

    Raises:
        ToolThrottled: the server could not be asked, and nothing was done.
        ToolUnavailable: it did not answer the call, which may have been done.
        EffectUncertain: it had begun the call, and then refused the credential.
        ToolFailed: the tool has changed since it was reviewed, failed, or answers with what is no answer.
    """
    credential = RemoteCredential(server.auth, context)
    client = McpClient(
        context.http,
        server.url,
        credential.headers,
        _find_connection(connections, server, credential.headers, context.tenant),
        remaining_seconds=context.remaining_seconds,
        renew=credential.renew,
    )
    pinned = server.tools[spec.name]
    try:
        listed = client.get_tool(pinned.remote)
    except ToolUnavailable as error:
        raise ToolThrottled(f"{error.message}; nothing was called", retry_after=error.retry_after) from error
    if listed is None or compute_digest(listed) != pinned.digest:
        what = "is no longer there" if listed is None else "has changed since it was reviewed"
        raise ToolFailed(
            f"the tool '{pinned.remote}' of the MCP server '{server.name}' {what}, and was not called",
            fix=f"an operator has to review it: 'pentad mcp diff {server.name}'",
        )
    return read_result(client.call_tool(pinned.remote, dict(arguments), pinned.headers), pinned.output_schema)


def _find_connection(
    connections: Connections, server: McpServerSpec, credential: Mapping[str, str], tenant_id: str
) -> Connection:
    """Return what is known of a server for one tenant and credential: a session is never another's."""
    told = "\x00".join([server.name, server.url, tenant_id, *(f"{name}:{value}" for name, value in credential.items())])
    key = sha256(told.encode()).hexdigest()
    if len(connections) > _MOST_CONNECTIONS:
        connections.clear()
    return connections.setdefault(key, Connection(hint=server.revision))
