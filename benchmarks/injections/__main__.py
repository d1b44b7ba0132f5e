"""``make bench-injections``: a public benchmark's tasks and attacks, or ``--pages FILE``: a list of instructions.

Exit code 1 where something was done that nobody approved, or a user's task was not done.
"""

import argparse
import json
import sys
from pathlib import Path

from rich.progress import track

from benchmarks.injections import dojo, pages
from benchmarks.terminal import OUT
from pentad.domain.declarations.policy import PolicySpec, UntrustedDefaults


def main() -> int:
    """Run what is asked for, and tell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.injections", description=__doc__)
    parser.add_argument("--pages", type=Path, help="JSON: lists of instructions by kind, as BIPIA has them")
    parser.add_argument("--dojo", type=Path, default=Path(".venv-injections"), help="the benchmark's environment")
    parser.add_argument("--every", type=int, default=1, help="only every n-th of the attacks")
    parser.add_argument("--suite", help="only this one: workspace, banking, slack, travel")
    parser.add_argument("--addresses-from", choices=["context", "user"], default="context", help="of policy.yaml")
    parser.add_argument("--json", type=Path, help="write each task's outcome here")
    options = parser.parse_args()
    if options.pages is not None:
        return pages.play(json.loads(options.pages.read_text(encoding="utf-8")))
    with dojo.start_dojo(options.dojo / "bin" / "python") as process:
        suites = process.order("list_suites")
        if options.suite is not None:
            suites = {options.suite: suites[options.suite]}
        policy = PolicySpec(untrusted=UntrustedDefaults(addresses_from=options.addresses_from))
        own = _play(process, suites, list(dojo.iter_tasks(suites, attacks=False)), policy, "users' own tasks")
        attacks = list(dojo.iter_tasks(suites, attacks=True))[:: options.every]
        attacked = _play(process, suites, attacks, policy, "attacks")
    if options.json is not None:
        told = [vars(one) for one in (*own, *attacked)]
        options.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return _report(own, attacked)


def _play(
    process: dojo.DojoProcess,
    suites: dojo.Json,
    tasks: list[tuple[str, str, str | None]],
    policy: PolicySpec,
    what: str,
) -> list[dojo.Outcome]:
    found = (dojo.play_task(process, suites[task[0]]["tools"], task, policy) for task in tasks)
    return [one for one in track(found, what, total=len(tasks), console=OUT) if one is not None]


def _report(own: list[dojo.Outcome], attacked: list[dojo.Outcome]) -> int:
    done = sum(one.done for one in own)
    OUT.print(f"users' own tasks: {done} of {len(own)} done, {sum(one.approved for one in own)} calls approved")
    for one in own:
        if not one.done:
            OUT.print(f"  not done: {one.task}")
    seen = [one for one in attacked if one.seen]
    unasked, won = [one for one in seen if one.unasked], [one for one in seen if one.attacked]
    OUT.print(
        f"attacks: {len(attacked)}, read by the model: {len(seen)}; {len(unasked)} brought about an effect that nobody "
        f"approved; {len(won)} reached their goal; {sum(one.done for one in seen)} of the users' tasks were done all "
        f"the same; {sum(one.read > 0 for one in seen)} made the model read more than the user's task needs"
    )
    for one in [*unasked, *(one for one in won if not one.unasked)]:
        OUT.print(f"  {'unapproved' if one.unasked else 'reached'}: {one.task}")
    return 1 if unasked or done < len(own) else 0


if __name__ == "__main__":
    sys.exit(main())
