"""``/_simulator/*``: set faults, load a script, read the journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twin.servers.loopback import Request, Response, json_response
from twin.simulator.faults import FaultBoard
from twin.simulator.journal import Journal
from twin.simulator.private_scripts import PrivateScripts
from twin.simulator.script import Script
from twin.simulator.tokens import PrefixCache


class ControlPlane:
    """Answers the control requests."""

    def __init__(
        self, faults: FaultBoard, script: Script, private: PrivateScripts, journal: Journal, cache: PrefixCache
    ) -> None:
        self._routes: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("POST", "faults"): lambda request: faults.add(request.json()),
            ("GET", "faults"): lambda request: faults.list_active(),
            ("DELETE", "faults"): lambda request: faults.clear(
                request.query.get("text", [""])[0], request.query.get("name", [""])[0]
            ),
            ("POST", "script"): lambda request: script.load(request.json()),
            ("GET", "script"): lambda request: script.report(),
            ("DELETE", "script"): lambda request: script.clear(),
            ("POST", "scripts"): lambda request: private.extend(request.json()),
            ("GET", "scripts"): lambda request: private.report(request.query.get("of", [])),
            ("DELETE", "scripts"): lambda request: private.clear(request.query.get("of", [])),
            ("GET", "requests"): lambda request: journal.list_entries(),
            ("DELETE", "requests"): lambda request: journal.clear(),
            ("DELETE", "cache"): lambda request: cache.clear(),
            ("GET", "health"): lambda request: {"status": "ok"},
        }

    def __call__(self, request: Request) -> Response:
        """Answer one request; a malformed one gets a 400 that says why."""
        route = self._routes.get((request.method, request.path.removeprefix("/_simulator/")))
        if route is None:
            return json_response(404, {"error": f"no control route {request.method} {request.path}"})
        try:
            return json_response(200, route(request))
        except (ValueError, TypeError, KeyError) as exc:
            return json_response(400, {"error": str(exc)})
