"""What is told of a synth that failed."""

from pentad.cli.synth import _extract_error


def test_a_mistake_in_the_project_is_told_by_its_one_line() -> None:
    assert (
        _extract_error("layers: built\nerror: agents/a/agent.yaml: wrong (correct it)\n")
        == "agents/a/agent.yaml: wrong (correct it)"
    )


def test_what_else_went_wrong_is_told_by_its_last_lines() -> None:
    said = _extract_error("\n".join(f"line {number}" for number in range(30)))
    assert said.splitlines()[1:] == [f"line {number}" for number in range(18, 30)]
