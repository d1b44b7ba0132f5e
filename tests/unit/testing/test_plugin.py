"""The plugin in sessions of its own: what it says without a project, and of a script at the end of a test."""

import pytest

pytest_plugins = ("pytester",)

# A twin costs seconds: here only its simulator's scripts are real.
STUB = """
import pytest
from types import SimpleNamespace
from tests.unit.testing.scripts import DirectControl

@pytest.fixture(scope="session")
def pentad_twin():
    control = DirectControl()
    return SimpleNamespace(simulator=control, tenant=lambda: SimpleNamespace(name="t-1"))
"""


def run(pytester: pytest.Pytester, test: str, *, stub: bool = True) -> pytest.RunResult:
    pytester.makepyfile(test)
    if stub:
        pytester.makeconftest(STUB)
    return pytester.runpytest_inprocess("-p", "pentad.testing.plugin", "-p", "no:cacheprovider", "-p", "no:randomly")


def test_without_a_project_the_test_says_where_to_run_it(pytester: pytest.Pytester) -> None:
    done = run(pytester, "def test_it(kit):\n    pass\n", stub=False)
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*is in no Pentad project: run pytest in the folder that holds cdk.json*"])


def test_a_session_without_such_a_test_imports_nothing_of_the_kit(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_it():
            assert "pentad.testing.plugin" in sys.modules
            assert "pentad.testing.kit" not in sys.modules
            assert "twin" not in sys.modules
        """
    )
    pytester.runpytest_subprocess("-p", "pentad.testing.plugin", "-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_a_line_that_nobody_asked_for_fails_the_test_at_its_end(pytester: pytest.Pytester) -> None:
    done = run(pytester, 'def test_it(kit_model):\n    kit_model.says("Hello.")\n')
    done.assert_outcomes(passed=1, errors=1)
    done.stdout.fnmatch_lines(["*the scripted model of the test was not asked for 1 of its lines*", "*line 1: Hello.*"])


def test_a_test_that_failed_is_not_told_of_its_script_too(pytester: pytest.Pytester) -> None:
    done = run(pytester, 'def test_it(kit):\n    kit.model.says("Hello.")\n    assert False, "mine"\n')
    done.assert_outcomes(failed=1)


def test_scripts_end_with_their_test(pytester: pytest.Pytester) -> None:
    done = run(
        pytester,
        """
        import pytest

        @pytest.mark.xfail(strict=True)
        def test_one(kit):
            kit.model.says("Left over.")
            assert False

        def test_two(kit, pentad_twin):
            assert pentad_twin.simulator.count_scripts() == 0
            kit.model
            assert pentad_twin.simulator.count_scripts() == 1
        """,
    )
    done.assert_outcomes(passed=1, xfailed=1)
