"""`pentad calibrate` and its diagram."""

import io
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from pentad.cli.commands.quality import calibrate
from pentad.cli.commands.quality.reliability_png import draw_reliability, place
from pentad.cli.main import app
from pentad.domain.declarations.agents import ConfidenceSpec
from pentad.orchestration.calibration.calibrate import calibrate as calibrate_turns
from pentad.orchestration.calibration.verdicts import RANKS
from pentad.orchestration.confidence.assessor import Assess
from pentad.orchestration.reviews.reviews import build_review
from pentad.orchestration.turn.think import Think
from tests.unit.api.client import Client
from tests.unit.cli.commands.quality.test_cases import Api as Served
from tests.unit.orchestration.calibration.test_calibrate import many
from tests.unit.orchestration.world import CATALOG, TENANT, World

Json = dict[str, Any]
BANDS = {"autonomous": 0.9, "review": 0.7, "draft": 0.5}
NOW = "2999-01-01T00:00:00Z"


def said(number: int, confidence: float | None, verdict: str | None, **changes: Any) -> Json:
    fields: Json = {"run_id": f"run_{number:026d}", "step": 1, "citation": None, "is_fork": False, "given_at": NOW}
    return fields | {"confidence": confidence, "verdict": verdict} | changes


class Api:
    """The API of a deployment."""

    def __init__(self) -> None:
        self.agents: list[Json] = [{"name": "careful", "bands": BANDS}, {"name": "plain", "bands": None}]
        self.feedback: list[Json] = []
        self.runs: list[Json] = []
        self.verdicts: list[Json] = []

    def close(self) -> None:
        pass

    def call(self, method: str, path: str) -> Json:
        assert (method, path) == ("GET", "/v1/agents")
        return {"items": self.agents}

    def iter_items(self, path: str, *, limit: int, **query: Any) -> Iterator[Json]:
        lists = {"/v1/feedback": self.feedback, "/v1/runs": self.runs, "/v1/verdicts": self.verdicts}
        yield from lists[path][:limit]

    def fill(self) -> None:
        """Give it 300 answers of which those from 0.8 on are right, and runs that go with them."""
        for number in range(300):
            confidence = 0.85 if number % 2 else 0.65
            verdict = "correct" if number % 2 or number % 4 == 0 else "wrong"
            self.feedback.append(said(number, confidence, verdict))
            self.runs.append(run_of(number, confidence))
        self.runs += [run_of(number, 0.85) for number in range(1000, 1100)]


def run_of(number: int, confidence: float | None, **changes: Any) -> Json:
    fields: Json = {"run_id": f"run_{number:026d}", "agent": "careful", "forked_from": None, "confidence": confidence}
    return fields | changes


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    api = Api()
    monkeypatch.setattr(calibrate, "create_api_client", lambda: api)
    return api


WHITE, BLUE = (255, 255, 255), (26, 86, 196)


def find_color(image: Image.Image, confidence: float, share: float) -> Any:
    """Return the colour of a diagram at a confidence and a share."""
    x, y = place(confidence, share)
    return image.convert("RGB").getpixel((round(x), round(y)))


def run(*arguments: str, code: int = 0, before: tuple[str, ...] = ()) -> str:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*before, "calibrate", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def report(*arguments: str) -> Json:
    found: Json = json.loads(run(*arguments, before=("--json",)))
    return found


def test_of_nothing_it_says_that_there_is_too_little(api: Api) -> None:
    shown = run()
    assert "careful: 0 of its turns were judged" in shown
    assert "Overall: not enough judged answers, 0 of the 30" in shown
    assert "It takes at least 59, were all of them right" in " ".join(shown.split())


def test_it_says_how_often_which_threshold_and_what_it_would_have_changed(api: Api) -> None:
    api.fill()
    found = report()
    assert (found["all"]["count"], found["all"]["correct"]) == (300, 225)
    assert [(one["count"], one["correct"]) for one in found["bins"] if one["count"]] == [(150, 75), (150, 150)]
    assert found["advice"]["threshold"] == 0.7
    assert found["runs"] == {"rated": 400, "judged": 300, "unjudged": 100}
    assert found["effects"]["freed"] == {"count": 250, "correct": 150, "wrong": 0, "unjudged": 100}
    assert found["effects"]["before"] == {"autonomous": 0, "review": 250, "draft": 150, "escalate": 0}
    shown = " ".join(run().split())
    assert "Threshold for 95.0%: autonomous: 0.70 (now 0.9)." in shown
    assert "Of the last 400 runs 250 more would have been done without a human: 150 right, 0 wrong, 100" in shown
    assert "Of its last 400 rated runs 100 were judged by nobody" in shown
    assert report("--last", "50")["runs"]["rated"] == 50


def test_citations_forks_and_what_says_neither_are_no_verdicts(api: Api) -> None:
    api.feedback = [
        said(1, 0.9, "correct"),
        said(2, 0.9, "wrong", citation="[cite:k7f2qa]"),
        said(3, 0.9, "wrong", is_fork=True),
        said(4, None, "wrong", step=None),
        said(5, 0.9, None),
        said(6, 0.9, "wrong", given_at="2001-01-01T00:00:00Z"),
    ]
    api.runs = [run_of(1, 0.9), run_of(2, None), run_of(3, 0.9, forked_from="run_x"), run_of(4, 0.9, agent="plain")]
    found = report()
    assert (found["all"]["count"], found["all"]["correct"]) == (1, 1)
    assert found["runs"] == {"rated": 1, "judged": 1, "unjudged": 0}
    assert found["effects"] is None


def test_people_who_disagree_count_as_neither(api: Api) -> None:
    api.feedback = [said(1, 0.9, "correct"), said(1, 0.9, "wrong")]
    assert report()["verdicts"] == {"disputed": 1, "overruled": 0, "by_source": dict.fromkeys(RANKS, 0)}
    assert "People disagree on 1 more" in run()


def test_a_reviewers_verdict_counts_before_a_click(api: Api) -> None:
    api.feedback = [said(1, 0.9, "correct"), said(2, 0.9, "correct")]
    judged = {
        "run_id": f"run_{1:026d}",
        "step": 1,
        "confidence": 0.9,
        "verdict": "wrong",
        "source": "review",
        "at": NOW,
    }
    api.verdicts = [
        judged,
        judged | {"step": 2, "source": "approval"},
        judged | {"at": "2001-01-01T00:00:00Z", "step": 3},
    ]
    found = report()
    assert (found["all"]["count"], found["all"]["correct"]) == (3, 1)
    assert found["verdicts"] == {"disputed": 0, "overruled": 1, "by_source": dict.fromkeys(RANKS, 1)}
    assert "3 of its turns were judged (1 by review, 1 by approval, 1 by feedback)" in run()


def test_which_agent_has_to_be_clear(api: Api) -> None:
    assert "no agent 'plain' rates its turns" in run("--agent", "plain", code=2)
    api.agents.append({"name": "other", "bands": BANDS})
    assert "give --agent, one of careful, other" in run(code=2)
    assert report("--agent", "other")["agent"] == "other"
    api.agents = []
    assert "no agent rates its turns" in run(code=2)


@pytest.mark.parametrize("option", [("--precision", "1.0"), ("--precision", "0"), ("--last", "0"), ("--days", "0")])
def test_options_out_of_range_are_refused(api: Api, option: tuple[str, str]) -> None:
    assert option[0] in run(*option, code=2)


def test_lists_that_are_not_looked_through_are_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.fill()
    assert (report()["cut"], "looked through" in run()) == ([], False)
    monkeypatch.setattr(calibrate, "_LISTED", 300)
    assert report()["cut"] == ["/v1/feedback", "/v1/runs"]
    assert "Only the newest 300 of /v1/feedback, /v1/runs were looked through." in run()


def test_the_diagram_is_written_and_shows_each_bin_where_it_is(api: Api, tmp_path: Path) -> None:
    api.fill()
    run("--png", str(tmp_path / "new" / "careful.png"))
    image = Image.open(tmp_path / "new" / "careful.png")
    assert (image.format, image.size) == ("PNG", (900, 900))
    assert [find_color(image, *point) for point in ((0.85, 1), (0.65, 0.5), (0.5, 0.9))] == [BLUE, BLUE, WHITE]


def test_the_diagram_of_too_few_has_no_point() -> None:
    image = Image.open(io.BytesIO(draw_reliability("careful", calibrate_turns(many(0.55, 3, 2), 0.95))))
    assert find_color(image, 0.55, 0.7) == WHITE


def test_a_diagram_that_can_not_be_written_is_told(api: Api, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "can't write" in run("--png", str(tmp_path / "file" / "x.png"), code=2)


def test_random_verdicts_never_break_the_report(api: Api) -> None:
    chance = random.Random(1)
    for _ in range(20):
        api.feedback = [
            said(chance.randrange(50), chance.random(), chance.choice(["correct", "wrong"]))
            for _ in range(chance.randrange(200))
        ]
        api.runs = [run_of(number, chance.random()) for number in range(chance.randrange(80))]
        found = report("--precision", str(chance.uniform(0.5, 0.999)))
        assert sum(one["count"] for one in found["bins"]) == found["all"]["count"]
        run()


def test_it_reads_what_the_api_says(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = CATALOG.agents["assistant"].model_copy(update={"confidence": ConfidenceSpec()})
    world = World(CATALOG.model_copy(update={"agents": {"assistant": agent}}))
    assessor = Assess(world.model, world.telemetry)
    stores = (world.catalog, world.runs, world.sessions, world.model, world.ledger, world.telemetry)
    world.think = Think(*stores, now=world.clock, assessor=assessor)
    served = Served(Client(world))
    monkeypatch.setattr(calibrate, "create_api_client", lambda: served)
    runs = [served.answer("What is 2 + 2?", "It is 4.", f"s{number}") for number in range(12)]
    for number, run_id in enumerate(runs[:11]):
        served.say(run_id, score=float(number > 0))
    first = world.runs.get(TENANT, runs[0])
    review = build_review(first, 1, "confidence", "x", at=world.clock(), confidence=1)
    world.reviews.add(review)
    assert served.client("POST", f"/v1/reviews/{review.review_id}", {"verdict": "correct"}).status == 200
    found = report("--days", "3650")
    assert found["runs"] == {"rated": 12, "judged": 11, "unjudged": 1}
    assert (found["bins"][9]["count"], found["bins"][9]["correct"]) == (11, 11)
    sources = {"review": 1, "approval": 0, "feedback": 10}
    assert found["verdicts"] == {"disputed": 0, "overruled": 1, "by_source": sources}
    assert found["bands"] == BANDS
