"""The report of grants: what no test uses is named, role by role, unless a reason says why it stays."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import grants


def write(folder: Path, name: str, **roles: tuple[list[str], list[str]]) -> None:
    found: dict[str, Any] = {role: {"granted": granted, "used": used} for role, (granted, used) in roles.items()}
    (folder / f"{name}.json").write_text(json.dumps(found), encoding="utf-8")


def test_what_all_twins_of_a_run_have_used_counts_together(tmp_path: Path) -> None:
    write(tmp_path, "1", toolrole1A2B3C4D=(["s3:GetObject", "s3:PutObject", "xray:Put*"], ["s3:GetObject"]))
    write(tmp_path, "2", toolrole5E6F7A8B=(["s3:GetObject", "s3:PutObject"], ["xray:PutTraceSegments"]), other=([], []))
    found = grants.merge(tmp_path)
    assert list(found) == ["other", "toolrole"]
    assert found["toolrole"].unused == ["s3:PutObject"]
    assert grants.find_unexplained(found, []) == [("toolrole", "s3:PutObject")]
    assert "used 2 of 3; 1 are unused" in grants.summarize(found, [])


def test_a_reason_explains_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, "1", gateway=(["s3:PutObject", "sqs:SendMessage"], []))
    (tmp_path / "reasons.txt").write_text("# why\n\ngate*  s3:*  the bucket is AWS's own\n", encoding="utf-8")
    found, reasons = grants.merge(tmp_path), grants.read_reasons(tmp_path / "reasons.txt")
    assert grants.find_unexplained(found, reasons) == [("gateway", "sqs:SendMessage")]
    report = grants.describe(found, reasons)
    assert "gateway: 0 of 2 granted actions are used" in report
    assert "s3:PutObject: the bucket is AWS's own" in report and "sqs:SendMessage: NOTHING USES IT" in report


def test_a_reason_for_what_nobody_is_granted_is_out_of_date(tmp_path: Path) -> None:
    write(tmp_path, "1", gateway=(["s3:PutObject"], ["s3:PutObject"]))
    reasons = [("gate*", "s3:*", "used or not"), ("gate*", "sqs:*", "gone"), ("runner", "s3:*", "gone, too")]
    assert grants.find_outdated(grants.merge(tmp_path), reasons) == reasons[1:]


def test_a_reason_without_words_is_refused(tmp_path: Path) -> None:
    (tmp_path / "reasons.txt").write_text("*  s3:PutObject\n", encoding="utf-8")
    with pytest.raises(ValueError, match="unpack"):
        grants.read_reasons(tmp_path / "reasons.txt")


def test_every_reason_of_the_project_is_one() -> None:
    assert all(reason for _, _, reason in grants.read_reasons())


def test_each_role_shows_in_a_line_and_without_figures_it_is_told_how_to_get_them(tmp_path: Path) -> None:
    assert "make test" in grants.show({}, [])
    write(tmp_path, "1", gateway=(["s3:PutObject", "sqs:SendMessage"], ["s3:PutObject"]), runner=(["s3:GetObject"], []))
    lines = grants.show(grants.merge(tmp_path), [("runner", "s3:*", "why")]).splitlines()
    assert [" ".join(line.split()) for line in lines[1:]] == [
        "gateway 1 of 2; not used in that run: sqs:SendMessage",
        "runner 0 of 1",
    ]
