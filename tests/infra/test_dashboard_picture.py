"""The dashboard's picture: its lines are what the panels say, read from metrics as the twin keeps them."""

import pytest

from infra.observability.dashboard import Panel, list_panels
from pentad.observability.alarms.limits import AlarmLimits
from pentad.observability.metrics import names
from scripts.draw_dashboard import Line, draw_dashboard, read_panel
from twin.alarms.metric_store import MINUTE, MetricKey, MetricStore

START = 1_800_000_000 // MINUTE * MINUTE
END = START + 3 * MINUTE


@pytest.fixture
def store() -> MetricStore:
    made = MetricStore()

    def add(metric: str, value: float, minute: int, **dimensions: str) -> None:
        made.add(MetricKey.of("Pentad", metric, {"stage": "dev", **dimensions}), value, START + minute * MINUTE)

    for minute, failed in enumerate((0, 1, 0)):
        add(names.RUNS_FAILED, failed, minute)
        add(names.RUNS_FAILED, 0, minute)
    for agent, runs in (("few", 1), ("many", 9)):
        add(names.RUNS_ENDED, runs, 1, agent=agent, status="succeeded")
    add(names.RUNS_ENDED, 10, 1)
    made.add(MetricKey.of("Pentad", names.RUNS_ENDED, {"stage": "prod", "agent": "x", "status": "failed"}), 1, START)
    return made


PANELS = list_panels(AlarmLimits())


def panel(title: str) -> Panel:
    return next(one for panels in PANELS.values() for one in panels if one.title == title)


def test_an_expression_is_computed_of_the_lines_which_are_hidden(store: MetricStore) -> None:
    [line] = read_panel(panel("Runs that do not fail"), store, "dev", START, END)
    assert line == Line("success", {START: 100, START + MINUTE: 50, START + 2 * MINUTE: 100})


def test_a_metric_by_dimensions_has_a_line_for_each_set_the_greatest_first(store: MetricStore) -> None:
    lines = read_panel(panel("Runs by agent and end"), store, "dev", START, END)
    assert lines == [Line("many succeeded", {START + MINUTE: 9}), Line("few succeeded", {START + MINUTE: 1})]


def test_the_objectives_are_drawn_as_burn_rates_and_the_queue_as_it_is(store: MetricStore) -> None:
    burn, page = read_panel(PANELS["Objectives"][0], store, "dev", START, END)
    assert burn == Line("burn rate", {START: 0, START + MINUTE: 50, START + 2 * MINUTE: 0})  # half of the runs, of 1 %
    assert set(page.values.values()) == {14.4}
    for seconds in (10, 20, 30, 90):
        key = MetricKey.of("Pentad", names.RUN_ACTIVE, {"stage": "dev"})
        store.add(key, seconds * 1000, START)
    [share] = read_panel(panel("Runs that are done within 60 s, without humans"), store, "dev", START, END)
    assert share.values == {START: 75}
    store.add(MetricKey.of("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": "pentad-dev-runs"}), 7, START)
    lines = read_panel(panel("Requests that wait in the queue of runs"), store, "dev", START, END)
    assert [(one.label, one.values) for one in lines] == [("waiting", {}), ("age of the oldest, s", {START: 7})]


def test_the_picture_has_every_panel_and_differs_where_metrics_do(store: MetricStore) -> None:
    drawn, empty = (draw_dashboard(one, "dev", START, END) for one in (store, MetricStore()))
    rows = sum(-(-len(panels) // 3) for panels in PANELS.values())
    assert drawn.size == empty.size == (1_560, rows * 250 + len(PANELS) * 44)
    assert drawn.tobytes() != empty.tobytes()
