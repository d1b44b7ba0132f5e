"""The twin's README lists the resource types that it deploys."""

import re
from pathlib import Path

from twin.deploy.registry import list_types
from twin.deploy.services import register_all

README = Path(__file__).resolve().parents[4] / "twin" / "README.md"


def test_the_readme_lists_every_resource_type_that_is_deployed() -> None:
    register_all()
    section = README.read_text(encoding="utf-8").partition("<!-- types -->")[2].partition("<!-- /types -->")[0]
    services = re.findall(r"^\| (\w+) \| (`.+) \|$", section, re.M)
    listed = [f"AWS::{service}::{name}" for service, names in services for name in re.findall(r"`(\w+)`", names)]
    assert sorted(listed) == sorted(list_types())
