"""``pentad run``, ``chat`` and ``runs``."""

import time
import uuid
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pentad.cli.client import ApiClient
from pentad.cli.commands.humans.approvals import decide_at_prompt
from pentad.cli.commands.runs import lifecycle, replay
from pentad.cli.console import (
    ERR,
    EXIT_USAGE,
    OPTIONS,
    OUT,
    CommandError,
    cut_list,
    handle_errors,
    print_json,
    refuse_options,
)
from pentad.cli.events import render_event
from pentad.cli.screen import build_line
from pentad.cli.show import build_run_table, print_run, render_approval
from pentad.cli.target import create_api_client

Json = dict[str, Any]

ENDED = frozenset({"succeeded", "degraded", "stopped", "failed", "cancelled"})
_POLL_SECONDS = 1.0
_API_WAIT = 20
_DECISIONS = {
    "calls": ("approve", "edit, "),
    "answer": ("approve", "edit, "),
    "question": ("answer", ""),
    "escalation": ("approve", "answer, edit, "),
}
_EXIT_CODES = {"succeeded": 0, "degraded": 0, "awaiting_human": 0, "queued": 0}

Agent = Annotated[str, typer.Option("--agent", "-a", help="The agent's name.")]
User = Annotated[
    str | None, typer.Option("--user", "-u", help="For which user: what they say is remembered. Default: the key's.")
]


def wait_for_run(client: ApiClient, view: Json, seconds: float) -> Json:
    """Return the run once it has ended, or waits for a human itself or behind a run that does.

    Raises:
        CommandError: neither happened in time; the run goes on.
    """
    deadline, run_id = time.monotonic() + seconds, view["run_id"]
    # A run that awaits a human, and names no approval yet, is just about to ask.
    while view["status"] not in ENDED and not view["pending_approval"]:
        if view["status"] == "queued" and view.get("holding"):
            return view  # It may take days.
        if time.monotonic() > deadline:
            raise CommandError(
                f"the run '{run_id}' is still {view['status']} after {seconds:g} s; check with `pentad runs {run_id}`"
            )
        time.sleep(_POLL_SECONDS)
        view = client.call("GET", f"/v1/runs/{run_id}")
    return view


def ask(
    client: ApiClient,
    agent: str,
    message: str,
    *,
    session_id: str | None,
    key: str | None,
    seconds: float,
    **fields: Any,
) -> Json:
    """Start a run and return it once it has ended or waits for a human; ``fields`` are more of the request's."""
    view = client.start_run(agent, message, session_id=session_id, key=key, wait=min(_API_WAIT, int(seconds)), **fields)
    return wait_for_run(client, view, seconds)


def parse_metadata(entries: list[str]) -> dict[str, str] | None:
    """Return what ``name=value`` options say, None where there is none.

    Raises:
        CommandError: an option is none of that form.
    """
    pairs = [entry.partition("=") for entry in entries]
    for name, sign, _ in pairs:
        if not name or not sign:
            raise CommandError(f"--metadata takes name=value, not '{name}'", code=EXIT_USAGE)
    return {name: value for name, _, value in pairs} or None


def run(
    message: Annotated[str, typer.Argument(help="What to ask.")],
    agent: Agent = "assistant",
    session_id: Annotated[str | None, typer.Option("--session", help="Continue this session.")] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="Idempotency key: the same key returns the same run.")
    ] = None,
    metadata: Annotated[list[str], typer.Option(help="name=value, kept with the run; repeat for several.")] = [],  # noqa: B006
    user: User = None,
    if_busy: Annotated[str | None, typer.Option(help="If the session is busy: reject, enqueue or interrupt.")] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the run to end.")] = 300,
) -> None:
    """Ask an agent one thing and print the answer with its citations."""
    with handle_errors():
        client = create_api_client()
        key = idempotency_key or uuid.uuid4().hex
        fields = {"metadata": parse_metadata(metadata), "if_busy": if_busy, "user": user}
        with ERR.show_status(f"{agent} is working"):
            view = ask(client, agent, message, session_id=session_id, key=key, seconds=wait, **fields)
        if OPTIONS.json:
            print_json(view)
        else:
            print_run(OUT, view)
            if view["pending_approval"]:
                asked = client.call("GET", f"/v1/approvals/{view['pending_approval']}")
                OUT.print(render_approval(asked))
                verb, others = _DECISIONS[asked["kind"]]
                OUT.print(f"Decide: pentad {verb} {view['pending_approval']} (or {others}reject, escalate)")
        code = _EXIT_CODES.get(view["status"], 1)
        if code:
            raise typer.Exit(code)


def run_chat(
    agent: Agent = "assistant",
    session_id: Annotated[str | None, typer.Option("--session", help="Continue this session.")] = None,
    user: User = None,
) -> None:
    """Talk to an agent in one session; an empty line or Ctrl-D ends it."""
    with handle_errors():
        refuse_options("with `pentad chat`; use `pentad run MESSAGE --json`", json=OPTIONS.json)
        client = create_api_client()
        hint = "[dim]{url}, agent {agent}. Enter an empty line to end.[/]"
        OUT.print(build_line(hint, url=client.url, agent=agent))
        while True:
            try:
                message = OUT.ask("> ").strip()
            except (EOFError, KeyboardInterrupt):
                break
            if not message:
                break
            with ERR.show_status(f"{agent} is working"):
                view = ask(client, agent, message, session_id=session_id, key=uuid.uuid4().hex, seconds=600, user=user)
            session_id = view["session"]
            if view["pending_approval"]:
                view = _decide_and_wait(client, view)
            print_run(OUT, view)


def _decide_and_wait(client: ApiClient, view: Json) -> Json:
    approval_id = str(view["pending_approval"])
    decide_at_prompt(client, approval_id)
    with ERR.show_status("continuing the run"):
        return wait_after_decision(client, view["run_id"], approval_id, 300)


def wait_after_decision(client: ApiClient, run_id: str, approval_id: str, seconds: float) -> Json:
    """Return the run once it has ended, or waits for another approval than the one just decided."""
    deadline = time.monotonic() + seconds
    while True:
        view = client.call("GET", f"/v1/runs/{run_id}")
        if view["status"] in ENDED or view.get("pending_approval") not in (None, approval_id):
            return view
        if time.monotonic() > deadline:
            raise CommandError(
                f"the run '{run_id}' is still {view['status']} after {seconds:g} s; check with `pentad runs {run_id}`"
            )
        time.sleep(_POLL_SECONDS)


class _Runs(TyperGroup):
    """``pentad runs RUN`` shows that run."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return what is left of the arguments; a run's id alone is shown."""
        if args and args[0].startswith("run_"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_Runs, help="List runs, or show one: pentad runs RUN.", no_args_is_help=False)
app.command("cancel")(lifecycle.cancel)
app.command("failed")(lifecycle.list_failed)
app.command("redrive")(lifecycle.redrive)
app.command("export")(replay.export)


@app.callback(invoke_without_command=True)
def list_runs(
    context: typer.Context,
    session: Annotated[str | None, typer.Option(help="Only runs of this session.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Maximum number to list.")] = 20,
) -> None:
    """List runs, the newest first, or show one with its events: pentad runs RUN."""
    if context.invoked_subcommand is not None:
        return
    with handle_errors():
        views = cut_list(create_api_client().iter_items("/v1/runs", limit=limit + 1, session=session), limit)
        if OPTIONS.json:
            print_json(views)
        else:
            OUT.print(build_run_table(views))


@app.command()
def show(run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")]) -> None:
    """Show a run with its events."""
    with handle_errors():
        client = create_api_client()
        view = client.call("GET", f"/v1/runs/{run_id}")
        events = client.call("GET", f"/v1/runs/{run_id}/events")["events"]
        if OPTIONS.json:
            print_json(view | {"events": events})
            return
        print_run(OUT, view)
        for event in events:
            OUT.print(render_event(event), soft_wrap=True)
