"""Make cases of feedback, and keep them in a folder."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pentad.cli.client import ApiClient, ProblemError
from pentad.cli.console import EXIT_USAGE, CommandError, write_text
from pentad.domain.errors import InvalidInput
from pentad.observability.feedback.cases import CASES, CaseMessage, FeedbackCase, load_cases

Json = dict[str, Any]


def collect_cases(client: ApiClient, said: Iterable[Json]) -> tuple[list[tuple[FeedbackCase, Json]], dict[str, str]]:
    """Return cases with their runs' recordings, and by run why some can't be exported.

    Args:
        client: asks for recordings.
        said: feedback; that on citations and forks is no case.
    """
    found: list[tuple[FeedbackCase, Json]] = []
    recordings: dict[str, Json] = {}
    skipped: dict[str, str] = {}
    for one in said:
        run_id = one["run_id"]
        if one["citation"] or one["is_fork"] or one["verdict"] is None or run_id in skipped:
            continue
        if run_id not in recordings:
            try:
                recordings[run_id] = client.call("GET", f"/v1/runs/{run_id}/recording")
            except ProblemError as error:
                skipped[run_id] = str(error)
                continue
        found.append((build_case(one, recordings[run_id]), recordings[run_id]))
    return found, skipped


def build_case(said: Json, recording: Json) -> FeedbackCase:
    """Return the case of feedback on a run, from the run's recording: its conversation without tools and passages."""
    messages = []
    for one in recording["context"]:
        text = "\n\n".join(block["text"] for block in one["blocks"] if block.get("type") == "text")
        if one["seq"] <= recording["request_seq"] and one["role"] in ("user", "assistant") and text.strip():
            messages.append(CaseMessage(role=one["role"], content=text))
    return FeedbackCase(
        case=said["feedback"],
        agent=said["agent"],
        messages=tuple(messages),
        answer=recording["outcome"]["answer"],
        verdict=said["verdict"],
        expected=said["correction"],
        comment=said["comment"],
        confidence=said["confidence"],
        run_id=said["run_id"],
        recording=f"{said['run_id']}.json",
    )


def write_cases(folder: Path, found: Iterable[tuple[FeedbackCase, Json]]) -> None:
    """Write cases and recordings; a case that is there already is renewed in its place.

    Raises:
        CommandError: a file can't be written.
    """
    try:
        cases = {case.case: case for case in load_cases(folder)}
    except (InvalidInput, OSError, UnicodeDecodeError) as error:
        raise CommandError(f"can't add to '{folder / CASES}': {error}", code=EXIT_USAGE) from error
    for case, recording in found:
        cases[case.case] = case
        write_text(folder / case.recording, json.dumps(recording, indent=1, ensure_ascii=False) + "\n")
    lines = (case.model_dump_json(exclude_none=False) for case in cases.values())
    write_text(folder / CASES, "".join(f"{line}\n" for line in lines))
