"""What an erasure leaves is told with the days of the stage and the date by which it is gone."""

from datetime import UTC, datetime

from pentad.orchestration.erasure.stays import KeptDays, list_stays

SINCE = datetime(2026, 12, 1, 23, 59, tzinfo=UTC)


def test_each_place_says_for_how_many_days_and_by_which_date_it_is_gone() -> None:
    told = {one.what: one.until for one in list_stays(KeptDays(log_days=14, access_logs_days=1, backup_days=7), SINCE)}
    assert told["paths in the API's access log"] == "14 days, gone by 2026-12-16"
    assert told["names of the user's documents in the buckets' access logs"] == "1 day, gone by 2026-12-03"
    assert told["backups of tables"] == "7 days, gone by 2026-12-09"
    assert told["names of the user's documents in histories of bulk ingestions"] == "90 days, gone by 2027-03-02"
    assert told["API keys that were made for the user, revoked ones too"] == "for good"


def test_no_place_names_a_setting() -> None:
    assert not [one for one in list_stays(KeptDays(1, 2, 3), SINCE) if "_" in one.until]
