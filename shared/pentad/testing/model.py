"""A scripted model: what it says, turn by turn; whatever else it is asked fails the test."""

from collections.abc import Callable, Mapping
from typing import Any

from twin.simulator import SimulatorControl

Json = dict[str, Any]
_SHOWN = 5


class UnexpectedRequest(AssertionError):
    """A model was asked for what its script does not expect, or was not asked for what it does."""


class Line:
    """Says what the model answers where a condition holds.

    Args:
        script: takes the steps, and returns the model.
        match: what the request must hold.
    """

    def __init__(self, script: Callable[[Json], "ScriptedModel"], match: Mapping[str, str]) -> None:
        self._script, self._match = script, match

    def says(self, text: str) -> "ScriptedModel":
        """Let the model answer with words: the end of a turn."""
        return self._add({"reply": {"text": text}})

    def calls(self, tool: str, /, **arguments: Any) -> "ScriptedModel":
        """Let the model call one tool."""
        return self.calls_together((tool, arguments))

    def calls_together(self, *calls: tuple[str, Mapping[str, Any]], text: str = "") -> "ScriptedModel":
        """Let the model call several tools in one reply.

        Args:
            calls: each tool with its arguments.
            text: what it says beside them.
        """
        wanted = [{"name": tool, "arguments": dict(arguments)} for tool, arguments in calls]
        return self._add({"reply": {"text": text, "tool_calls": wanted}})

    def fails(self, status: int = 529) -> "ScriptedModel":
        """Let the provider answer one request with an HTTP error; what comes after it is the next line."""
        kind = "overloaded_error" if status in (503, 529) else "error"
        error = {"type": kind, "message": "the test's script wants this error"}
        return self._add({"raw": {"status": status, "body": {"type": "error", "error": error}}})

    def replies(self, **reply: Any) -> "ScriptedModel":
        """Let the model answer with a reply of the simulator: see docs/test-your-agent.md."""
        return self._add({"reply": reply})

    def _add(self, step: Json) -> "ScriptedModel":
        return self._script(step | ({"match": dict(self._match)} if self._match else {}))


class ScriptedModel(Line):
    """Answers for all models of a tenant, of one of its agents or of one of its sessions, in the order of its lines.

    The same request gets the same answer again, so retries, killed functions and other providers change nothing.

    Args:
        simulator: the twin's models.
        of: what the names of its requests hold.
        name: for whom it speaks, to a reader.
    """

    def __init__(self, simulator: SimulatorControl, of: tuple[str, ...], name: str) -> None:
        super().__init__(self._extend, {})
        self._simulator, self._of, self._name = simulator, of, name
        self._extend()

    def when(self, told: str) -> Line:
        """Return a line that is only said to a request that holds words since the model spoke last.

        Args:
            told: a part of the user's message, or of the results of tools.
        """
        return Line(self._extend, {"last": told})

    def when_asked(self, text: str) -> Line:
        """Return a line that is only said to a request that holds words anywhere, such as its prompt."""
        return Line(self._extend, {"contains": text})

    def check_expected(self) -> None:
        """Check that nothing was asked but what the script expects.

        Raises:
            UnexpectedRequest: something was; the message says what, and what the script expected there.
        """
        unexpected = self._simulator.get_private_report(self._of)["unexpected"]
        if unexpected:
            told = "\n".join(_describe(one) for one in unexpected[:_SHOWN])
            raise UnexpectedRequest(
                f"the scripted model of {self._name} was asked what its script does not say:\n{told}"
            )

    def check_used(self) -> None:
        """Check that every line was said, and nothing else was asked.

        Raises:
            UnexpectedRequest: not so; the message lists the lines.
        """
        self.check_expected()
        left = self._simulator.get_private_report(self._of)["unconsumed"]
        if left:
            told = "\n".join(f"  line {one['step'] + 1}: {one['reply']}" for one in left[:_SHOWN])
            raise UnexpectedRequest(
                f"the scripted model of {self._name} was not asked for {len(left)} of its lines:\n{told}\n"
                "Remove them, or let the agent go on: a run that waits for a human, or that failed, asks no more."
            )

    def close(self) -> None:
        """Let the simulator's rules answer again."""
        self._simulator.clear_private_script(self._of)

    def _extend(self, *steps: Json) -> "ScriptedModel":
        self._simulator.extend_private_script(self._of, *steps)
        return self


def _describe(request: Json) -> str:
    expected = request["expected"]
    if expected is None:
        wanted = "no further request: add a line with says() or calls()"
    elif "last" in expected:
        wanted = f"one that was just told {expected['last']!r}"
    else:
        wanted = f"one that holds {expected.get('contains', expected)!r}"
    tools = ", ".join(request["tools"]) or "none"
    return (
        f"  asked {request['model']} ({request['provider']}), tools: {tools}\n"
        f"    prompt: {_shorten(request['system'])}\n"
        f"    told:   {_shorten(request['said'])}\n"
        f"    the script expects {wanted}"
    )


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return f"{line[:200]}..." if len(line) > 200 else line or "(nothing)"
