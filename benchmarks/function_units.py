"""What one invocation of each function takes of DynamoDB: `python -m benchmarks.function_units`, for `pentad trace`.

It prints the table of `shared/pentad/cli/commands/runs/function_use.py` as the twin has it now: of a plain answer and
of one with a tool call, on warm functions, each in a new session.
"""

from collections import defaultdict
from collections.abc import Iterator

from rich.table import Table

from benchmarks.invocations import invocation_of
from benchmarks.orchestration import TOOL
from benchmarks.orchestration_units import units_of
from benchmarks.requests import PREFIX, Request
from benchmarks.scenarios import PLAIN
from benchmarks.stage import Stage, stage
from benchmarks.terminal import OUT
from pentad.cli.synth import ensure_assembly, find_project_root


def group_by_invocation(running: Stage) -> Iterator[tuple[str, list[Request]]]:
    """Yield each invocation of the last measured run: its function, and the requests that it made, in order."""
    found: defaultdict[tuple[str, str], list[Request]] = defaultdict(list)
    reports = running.reports()
    for request in running.requests:
        if request.principal in running.principals:
            function = running.function_of(request.principal)
            found[function, invocation_of(request, function, reports) or ""].append(request)
    for (function, _), requests in sorted(found.items(), key=lambda one: one[1][0].at_ms):
        yield function.removeprefix(PREFIX), requests


def main() -> None:
    """Measure and print.

    Raises:
        BenchError: a run did not end as it should.
        CommandError: the synth failed, or the API does not answer.
    """
    table = Table("case", "function", "requests", "read units", "write units", box=None)
    out, _ = ensure_assembly(find_project_root())
    with stage(out) as running:
        client = running.twin.get_admin_client("dynamodb")
        for case in (PLAIN, TOOL):
            running.ask(case)  # cold starts are not the functions'
            running.measure(case)
            for function, requests in group_by_invocation(running):
                units = units_of(requests, client)
                table.add_row(case.name, function, str(len(requests)), f"{units.read:g}", f"{units.write:g}")
    OUT.print(table)


if __name__ == "__main__":
    main()
