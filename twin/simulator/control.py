"""A client for the simulator's control routes, for tests and for the command line."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

_TIMEOUT_SECONDS = 10.0


class ControlError(RuntimeError):
    """The simulator refused a control request; the message says why."""


class SimulatorControl:
    """Sets faults and scripts of a running simulator, and reads its journal."""

    def __init__(self, url: str) -> None:
        """Remember where it runs.

        Args:
            url: The simulator's base URL.
        """
        self._base = url.rstrip("/") + "/_simulator/"

    def load_script(self, *steps: Mapping[str, Any]) -> None:
        """Switch scripted mode on with these steps: ``{match?, reply}`` or ``{match?, raw}``."""
        self._send("POST", "script", list(steps))

    def get_script_report(self) -> dict[str, Any]:
        """Return what the script still expects and what it did not expect."""
        report: dict[str, Any] = self._send("GET", "script")
        return report

    def extend_private_script(self, of: Sequence[str], *steps: Mapping[str, Any]) -> dict[str, Any]:
        """Add steps to the script of the requests whose name holds these texts, and return its report."""
        report: dict[str, Any] = self._send("POST", "scripts", {"of": list(of), "steps": list(steps)})
        return report

    def get_private_report(self, of: Sequence[str]) -> dict[str, Any]:
        """Return what such a script still expects and what it did not expect."""
        report: dict[str, Any] = self._send("GET", _with_query("scripts", [("of", text) for text in of]))
        return report

    def clear_private_script(self, of: Sequence[str]) -> None:
        """Forget such a script: requests are answered by the script for all, or by rules."""
        self._send("DELETE", _with_query("scripts", [("of", text) for text in of]))

    def assert_consumed(self) -> None:
        """Check that every step was used and nothing else was asked.

        Raises:
            AssertionError: Naming what is left or was unexpected.
        """
        report = self.get_script_report()
        if report["unconsumed"] or report["unexpected"]:
            raise AssertionError(f"unconsumed: {report['unconsumed']}; unexpected: {report['unexpected']}")

    def add_faults(self, *faults: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Add faults and return those in force."""
        listed: list[dict[str, Any]] = self._send("POST", "faults", list(faults))
        return listed

    def clear_faults(self, text: str = "", name: str = "") -> None:
        """Remove the faults whose ``text`` this is, or whose ``name`` holds this one, or all of them."""
        self._send("DELETE", _with_query("faults", [pair for pair in (("text", text), ("name", name)) if pair[1]]))

    def list_requests(self) -> list[dict[str, Any]]:
        """Return the journal, oldest first."""
        entries: list[dict[str, Any]] = self._send("GET", "requests")
        return entries

    def reset(self) -> None:
        """Clear faults, scripts, journal and prompt caches."""
        for what in ("faults", "script", "scripts", "requests", "cache"):
            self._send("DELETE", what)

    def _send(self, method: str, path: str, body: Sequence[Any] | Mapping[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data=data, method=method)  # noqa: S310 - our own URL
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as reply:  # noqa: S310
                return json.loads(reply.read())
        except HTTPError as exc:
            raise ControlError(json.loads(exc.read()).get("error", str(exc))) from exc


def _with_query(path: str, pairs: Sequence[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(pairs)}" if pairs else path
