"""``pentad calibrate``: how often an agent's answers were right at each confidence, and what thresholds follow."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from pentad.cli.console import EXIT_USAGE, OPTIONS, OUT, CommandError, handle_errors, print_json
from pentad.cli.screen import Grid, build_line, choose_verb, format_count
from pentad.cli.target import create_api_client

if TYPE_CHECKING:
    from pentad.cli.client import ApiClient
    from pentad.orchestration.calibration.calibrate import Calibration, ShareOfCorrect
    from pentad.orchestration.calibration.effects import MovedRuns, RatedRun, ThresholdEffects
    from pentad.orchestration.calibration.verdicts import Settled, TurnVerdict

Json = dict[str, Any]

_LISTED = 10_000
"""Feedback, and runs, that are looked through."""


class CalibrationInput(NamedTuple):
    """All that the report is made of."""

    agent: str
    bands: Json
    settled: "Settled"
    calibration: "Calibration"
    runs: "list[RatedRun]"
    effects: "ThresholdEffects | None"
    cut: list[str]
    """Lists that have more than was looked through."""


def calibrate(
    agent: Annotated[
        str | None, typer.Option("--agent", "-a", help="The agent's name. Default: the only one that rates its turns.")
    ] = None,
    precision: Annotated[
        float,
        typer.Option(min=0.5, max=0.999, help="Target precision of what is done without a human."),
    ] = 0.95,
    last: Annotated[
        int, typer.Option(min=1, max=_LISTED, help="Replay the last N runs, to see what would have changed.")
    ] = 1000,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Use the verdicts of the last N days.")] = 90,
    png: Annotated[Path | None, typer.Option(help="Draw the reliability diagram into this file.")] = None,
) -> None:
    """Say how often an agent was right at each confidence, by what people said, and which threshold would keep a share.

    Answers that nobody judged count as neither right nor wrong.
    """
    with handle_errors():
        with closing(create_api_client()) as client:
            found = _collect(client, agent, precision, last, datetime.now(UTC) - timedelta(days=days))
        if png is not None:
            _draw(found, png)
        if OPTIONS.json:
            print_json(_to_json(found))
        else:
            _print_report(found)


def _collect(client: "ApiClient", agent: str | None, precision: float, last: int, since: datetime) -> CalibrationInput:
    from pentad.domain.declarations.agents import BandsSpec
    from pentad.orchestration.calibration.calibrate import calibrate as calibrate_turns
    from pentad.orchestration.calibration.effects import RatedRun, compare_bands, with_autonomous
    from pentad.orchestration.calibration.verdicts import settle_verdicts

    name, bands = _choose_agent(client, agent)
    cut: list[str] = []
    settled = settle_verdicts(_iter_verdicts(client, name, since, cut))
    calibration = calibrate_turns(settled.turns, precision)
    runs: list[RatedRun] = []
    for one in _iter_listed(client, "/v1/runs", cut):
        if one["agent"] == name and one["confidence"] is not None and not one["forked_from"]:
            runs.append(RatedRun(run_id=one["run_id"], confidence=one["confidence"]))
        if len(runs) >= last:
            break
    verdicts: dict[str, bool] = {}
    for turn in settled.turns:
        verdicts[turn.run_id] = verdicts.get(turn.run_id, True) and turn.correct
    threshold, effects = calibration.advice.threshold, None
    if threshold is not None:
        before = BandsSpec.model_validate(bands)
        effects = compare_bands(runs, verdicts, before, with_autonomous(before, threshold))
    return CalibrationInput(name, bands, settled, calibration, runs, effects, cut)


def _iter_listed(client: "ApiClient", path: str, cut: list[str], **query: str) -> Iterator[Json]:
    """Yield the items of a list, the newest first; note a list that is not looked through to its end."""
    count = 0
    for one in client.iter_items(path, limit=_LISTED, **query):
        count += 1
        yield one
    if count >= _LISTED:
        cut.append(path)


def _choose_agent(client: "ApiClient", wanted: str | None) -> tuple[str, Json]:
    rates = {one["name"]: one["bands"] for one in client.call("GET", "/v1/agents")["items"] if one["bands"]}
    if wanted is not None:
        if wanted not in rates:
            raise CommandError(
                f"no agent '{wanted}' rates its turns: give it 'confidence' in its agent.yaml", code=EXIT_USAGE
            )
        return wanted, rates[wanted]
    if not rates:
        raise CommandError("no agent rates its turns: give one 'confidence' in its agent.yaml", code=EXIT_USAGE)
    if len(rates) > 1:
        raise CommandError(f"several agents rate their turns: give --agent, one of {', '.join(sorted(rates))}", code=2)
    return next(iter(rates.items()))


def _iter_verdicts(client: "ApiClient", agent: str, since: datetime, cut: list[str]) -> "Iterator[TurnVerdict]":
    """Yield what people said of the agent's turns: not of citations, nor of forks, which are experiments."""
    from pentad.orchestration.calibration.verdicts import TurnVerdict

    for one in _iter_listed(client, "/v1/feedback", cut, agent=agent):
        if datetime.fromisoformat(one["given_at"]) < since:
            break
        if one["citation"] or one["is_fork"] or one["confidence"] is None or one["verdict"] is None:
            continue
        yield TurnVerdict(source="feedback", correct=one["verdict"] == "correct", **_pick_turn(one))
    for one in _iter_listed(client, "/v1/verdicts", cut, agent=agent):
        if datetime.fromisoformat(one["at"]) < since:
            break
        yield TurnVerdict(source=one["source"], correct=one["verdict"] == "correct", **_pick_turn(one))


def _pick_turn(one: Json) -> Json:
    return {name: one[name] for name in ("run_id", "step", "confidence")}


def _draw(found: CalibrationInput, path: Path) -> None:
    try:
        from pentad.cli.commands.quality.reliability_png import draw_reliability
    except ImportError as error:
        raise CommandError("the diagram needs the package 'pillow': install it, or leave --png out", code=2) from error
    content = draw_reliability(found.agent, found.calibration)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise CommandError(f"can't write '{path}': {error.strerror}", code=EXIT_USAGE) from error


def _count_judged(found: CalibrationInput) -> int:
    judged = {turn.run_id for turn in found.settled.turns}
    return sum(one.run_id in judged for one in found.runs)


def _to_json(found: CalibrationInput) -> Json:
    judged = _count_judged(found)
    return {
        "agent": found.agent,
        "bands": found.bands,
        "verdicts": found.settled.model_dump(mode="json", exclude={"turns"}),
        "runs": {"rated": len(found.runs), "judged": judged, "unjudged": len(found.runs) - judged},
        **found.calibration.model_dump(mode="json"),
        "effects": None if found.effects is None else found.effects.model_dump(mode="json"),
        "cut": found.cut,
    }


def _print_report(found: CalibrationInput) -> None:
    calibration, settled = found.calibration, found.settled
    sources = ", ".join(f"{count} by {source}" for source, count in settled.by_source.items() if count)
    head = "[bold]{agent}[/]: {count} of its turns were judged{sources}"
    OUT.print(
        build_line(head, agent=found.agent, count=calibration.all.count, sources=f" ({sources})" if sources else "")
    )
    if settled.disputed:
        OUT.print(f"People disagree on {settled.disputed} more: these count as neither right nor wrong.")
    if settled.overruled:
        OUT.print(f"Of {settled.overruled}, somebody who looked closer said otherwise: that counts.")
    judged = _count_judged(found)
    unjudged = len(found.runs) - judged
    OUT.print(f"Of its last {len(found.runs)} rated runs {unjudged} were judged by nobody.")
    OUT.print("Judged runs may not be representative: people judge few, and bad answers more often.")
    OUT.print(_build_grid(calibration))
    for line in _describe_all(calibration):
        OUT.print(line)
    for line in _describe_advice(found):
        OUT.print(line)
    if found.cut:
        OUT.print(f"Only the newest {_LISTED:,} of {', '.join(found.cut)} were looked through.")


def _build_grid(calibration: "Calibration") -> Grid:
    grid = Grid()
    for heading in ("confidence", "judged", "right", "share", "95 % between"):
        grid.add_column(heading, no_wrap=True, justify="left" if heading == "confidence" else "right")
    for one in calibration.bins:
        stretch = f"{one.above:.1f} to {one.below:.1f}"
        grid.add_row(stretch, str(one.count), str(one.correct), *_format_share(one))
    return grid


def _format_share(share: "ShareOfCorrect") -> tuple[str, str]:
    if share.share is None or share.low is None or share.high is None:
        return "too few" if share.count else "-", ""
    return f"{share.share:.0%}", f"{share.low:.0%} and {share.high:.0%}"


def _describe_all(calibration: "Calibration") -> Iterator[str]:
    from pentad.orchestration.calibration.calibrate import FEWEST

    share, limits = _format_share(calibration.all)
    if calibration.brier is None or calibration.gap is None or calibration.mean_confidence is None:
        yield f"Overall: not enough judged answers, {calibration.all.count} of the {FEWEST} that are needed."
        return
    mean = f"{calibration.mean_confidence:.0%}"
    yield f"Overall {share} were right (95 % between {limits}), at a mean confidence of {mean}."
    yield f"Calibration error {calibration.gap:.3f}, Brier score {calibration.brier:.3f} (0 is perfect)."


def _describe_advice(found: CalibrationInput) -> Iterator[str]:
    advice = found.calibration.advice
    yield ""
    if advice.threshold is None or advice.above is None or found.effects is None:
        if advice.most < advice.needed:
            yield (
                f"Threshold for {advice.precision:.1%}: not enough judged answers. It takes at least "
                f"{advice.needed}, were all of them right; there are {advice.most}."
            )
        else:
            yield f"Threshold for {advice.precision:.1%}: no confidence from which on answers keep it for sure."
        if advice.observed is not None and advice.most:
            yield f"The judged ones alone keep it from {advice.observed:.2f} on, but that may be chance."
        return
    above, effects = advice.above, found.effects
    yield (
        f"Threshold for {advice.precision:.1%}: autonomous: {advice.threshold:.2f} (now {found.bands['autonomous']}). "
        f"{above.correct} of {format_count(above.count, 'judged answer')} from there on "
        f"{choose_verb(above.correct, 'was', 'were')} right; that it holds is 95 % sure."
    )
    moved = {"would have been done without a human": effects.freed, "would have been looked at by one": effects.held}
    for words, runs in moved.items():
        last = "the last run" if effects.runs == 1 else f"the last {effects.runs} runs"
        yield f"Of {last} {_describe_moved(runs, words)}"
    counts = ", ".join(f"{band} {effects.before[band]} -> {count}" for band, count in effects.after.items())
    yield f"By band: {counts}"


def _describe_moved(runs: "MovedRuns", words: str) -> str:
    if not runs.count:
        return f"none more {words}."
    return f"{runs.count} more {words}: {runs.correct} right, {runs.wrong} wrong, {runs.unjudged} that nobody judged."
