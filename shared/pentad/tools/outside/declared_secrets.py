"""The secrets that a tool declares, for one call: each is read when the tool asks for it, and no other can be."""

from collections.abc import Iterator, Mapping, Sequence

from pentad.domain.errors import ConfigurationError
from pentad.tools.outside.ports import Credential, HttpClient, ToolSecrets


class DeclaredSecrets(Mapping[str, Credential]):
    """Credentials by the names that a tool declares.

    Args:
        names: those, as they are with the tool's settings.
        source: reads them; None where there is no store of secrets.
        tenant_id: whose call it is.
    """

    def __init__(self, names: Sequence[str], source: ToolSecrets | None, tenant_id: str) -> None:
        self._names = tuple(names)
        self._source = source
        self._tenant_id = tenant_id

    def __repr__(self) -> str:
        return f"DeclaredSecrets({', '.join(self._names)})"

    def __contains__(self, name: object) -> bool:
        """Tell whether a secret is declared, without reading it."""
        return name in self._names

    def __getitem__(self, name: str) -> Credential:
        """Read a secret.

        Raises:
            ConfigurationError: there is no store, or no such secret in it.
            ToolUnavailable: the store did not answer.
        """
        return self._find_source(name).get(self._tenant_id, name)

    def renew(self, name: str, refused: Credential) -> Credential:
        """Return another value than one that was refused; see `ToolSecrets.renew`."""
        return self._find_source(name).renew(self._tenant_id, name, refused)

    def get_token(self, name: str, http: HttpClient, refused: str) -> str:
        """Return an access token of OAuth; see `ToolSecrets.get_token`."""
        return self._find_source(name).get_token(self._tenant_id, name, http, refused=refused)

    def _find_source(self, name: str) -> ToolSecrets:
        if name not in self._names:
            raise KeyError(name)
        if self._source is None:
            raise ConfigurationError(
                "secrets can't be read here", field="secrets", fix="run the tool in a deployment, or give it a value"
            )
        return self._source

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
