"""All chapters of ``pentad demo`` on the shared twin, for a tenant of their own."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pentad.cli.client import ApiClient
from pentad.cli.demo.stage import NotesTable, SimulatorFaults
from pentad.cli.demo.story import ABOUT_THE_DOCS, FOLLOW_UP, NOTE, TWO_TOOLS, Story
from pentad.cli.screen import Screen
from tests.twin.stack.world import Stack, Tenant

pytestmark = pytest.mark.twin

# What the demo's question is about, and a page beside it: the whole folder would tell no more, and take its time.
PAGES = ("architecture.md", "data-model.md")


@pytest.fixture
def story(stack: Stack, tenant: Tenant, root: Path, tmp_path: Path) -> Iterator[Story]:
    docs = tmp_path / "docs"
    docs.mkdir()
    for page in PAGES:
        shutil.copy(root / "docs" / page, docs)
    with closing(ApiClient(stack.url, tenant.token)) as client:
        yield Story(
            client=client,
            screen=Screen(width=120),
            docs=docs,
            faults=SimulatorFaults(stack.simulator, tenant.name),
            notes=NotesTable(stack.table("records"), tenant.name),
        )


def test_every_chapter_of_the_demo_happens(story: Story) -> None:
    story.tell()
    asked = [run["question"] for run in story.runs]
    outages = [ABOUT_THE_DOCS, ABOUT_THE_DOCS, FOLLOW_UP]
    assert asked == [ABOUT_THE_DOCS, TWO_TOOLS, FOLLOW_UP, FOLLOW_UP, NOTE, *outages]
    assert [run["status"] for run in story.runs] == [*["succeeded"] * 6, "degraded", "succeeded"]
