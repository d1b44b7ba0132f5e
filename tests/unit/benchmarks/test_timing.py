"""Times are told as least, median and most, cold starts apart."""

from benchmarks.starts import Start, by_phase
from benchmarks.timing import Spread, function_times, spread
from tests.unit.benchmarks.builders import report


def test_a_spread_has_least_median_and_most() -> None:
    assert spread([3.0, 1.0, 2.0]) == Spread(1.0, 2.0, 3.0, 3)


def test_no_samples_have_no_spread() -> None:
    assert spread([]) is None


def test_calls_after_a_cold_start_are_kept_apart_from_warm_ones() -> None:
    reports = [
        report("pentad-dev-api", 1, init_ms=200, duration_ms=90),
        report("pentad-dev-api", 2, duration_ms=10),
        report("pentad-dev-api", 3, duration_ms=20),
    ]
    [found] = function_times(reports)
    assert found.function == "api"
    assert found.init == Spread(200, 200, 200, 1)
    assert found.first_call == Spread(90, 90, 90, 1)
    assert found.warm_call == Spread(10, 15, 20, 2)


def test_phases_of_several_starts_are_told_with_the_whole() -> None:
    found = by_phase([Start(5.0, {"front": 3.0}, 1.0), Start(7.0, {"front": 4.0}, 2.0)])
    assert found["front"] == Spread(3.0, 3.5, 4.0, 2)
    assert found["start to ready"].median == 6.0
    assert found["stop"].maximum == 2.0


def test_a_start_that_made_the_assembly_anew_is_left_out() -> None:
    assert by_phase([Start(5.0, {}, 1.0), Start(30.0, {}, 1.0, warm=False)])["start to ready"].maximum == 5.0


def test_no_start_has_no_phases() -> None:
    assert by_phase([]) == {}
