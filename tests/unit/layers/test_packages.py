"""Which locked packages a tool's function carries, and how large its code may be."""

from pathlib import Path

import pytest

from layers import build
from layers.packages import read_lock, select_packages
from layers.sizes import check_size, weigh

LOCK = """\
calendars==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:ab
    # via -r requirements/tools.in
dates-core==2.0 \\
    --hash=sha256:bb
    # via
    #   -c requirements/dev.txt
    #   calendars
    #   Sheets.Reader
deep==0.1 \\
    --hash=sha256:cc
    # via dates-core
sheets-reader==3.1 ; sys_platform != 'win32' \\
    --hash=sha256:dd
    # via
    #   -c requirements/dev.txt
    #   -r requirements/tools.in
lonely==9 \\
    --hash=sha256:ee
    # via deep[extra]

# The following packages were excluded from the output:
# calendars-shared
"""
SHARED = "tzdata==2026.1 \\\n    --hash=sha256:ff\n    # via -r requirements/runtime.in\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with locks."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "tools.txt").write_text(LOCK, encoding="utf-8")
    (tmp_path / "requirements" / "lambda.txt").write_text(SHARED, encoding="utf-8")
    (tmp_path / "requirements" / "graphs.txt").write_text("deep==0.1 \\\n    --hash=sha256:cc\n", encoding="utf-8")
    return tmp_path


def names(text: str) -> list[str]:
    return list(read_lock(text))


def test_an_empty_lock_has_no_packages(tmp_path: Path) -> None:
    assert read_lock("") == read_lock("# The following packages were excluded from the output:\n# six\n") == {}
    with pytest.raises(build.BuildError, match=r"which has none\)"):
        select_packages(tmp_path, "x.py", ["calendars"])


def test_a_lock_says_who_needs_what() -> None:
    lock = read_lock(LOCK)
    assert list(lock) == ["calendars", "dates-core", "deep", "sheets-reader", "lonely"]
    assert lock["dates-core"].needed_by == {"-c requirements/dev.txt", "calendars", "sheets-reader"}
    assert lock["lonely"].needed_by == {"deep"}
    assert "excluded" not in lock["lonely"].text and "--hash=sha256:ee" in lock["lonely"].text


def test_a_tool_carries_what_it_names_and_what_that_needs_and_nothing_else(root: Path) -> None:
    assert names(select_packages(root, "x.py", ["calendars"])) == ["calendars", "dates-core", "deep", "lonely"]
    assert names(select_packages(root, "x.py", ["deep"])) == ["deep", "lonely"]
    assert names(select_packages(root, "x.py", ["lonely", "calendars"])) == names(
        select_packages(root, "x.py", ["calendars"])
    )


def test_what_the_function_has_anyway_is_left_out(root: Path) -> None:
    found = names(select_packages(root, "x.py", ["sheets-reader"], graphs=True))
    assert found == ["dates-core", "lonely", "sheets-reader"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nothing", r"which has calendars, sheets-reader\): add it to requirements/tools.in, run 'make lock' and"),
        ("tzdata", "is in its function anyway: drop it from packages"),
    ],
)
def test_a_package_that_is_not_locked_or_that_every_function_has_is_refused(root: Path, name: str, says: str) -> None:
    with pytest.raises(build.BuildError, match=says) as refused:
        select_packages(root, "functions/tools/x.py", ["calendars", name])
    assert str(refused.value).startswith(f"functions/tools/x.py: the package '{name}'")


def test_the_projects_own_lock_is_read() -> None:
    root = Path(__file__).resolve().parents[3]
    found = select_packages(root, "x.py", ["icalendar"])
    assert names(found) == ["icalendar"] and "--hash=sha256:" in found


def make_layer(folder: Path, **sizes: int) -> Path:
    for name, size in sizes.items():
        place = folder / "python" / name / "__init__.py"
        place.parent.mkdir(parents=True)
        place.write_bytes(b"#" * size)
    return folder


def test_what_lambda_takes_is_counted_over_all_layers_and_told_with_the_heaviest(tmp_path: Path) -> None:
    asset = tmp_path / "asset"
    (asset / "functions").mkdir(parents=True)
    (asset / "functions" / "x.py").write_bytes(b"#" * 100)
    layers = [make_layer(tmp_path / "one", pandas=3_000_000, six=10), make_layer(tmp_path / "two", numpy=4_000_000)]
    (tmp_path / "two" / "python" / "numpy.libs").mkdir()
    (tmp_path / "two" / "python" / "numpy.libs" / "blas.so").write_bytes(b"#" * 2_000_000)
    (tmp_path / "two" / "python" / "numpy-2.1.0.dist-info").mkdir()
    (tmp_path / "two" / "python" / "numpy-2.1.0.dist-info" / "METADATA").write_bytes(b"#" * 5)
    assert weigh(tmp_path / "two") == {"numpy": 6_000_005}
    assert check_size("tool-x", asset, layers) == 9_000_115
    assert check_size("tool-x", asset, layers, most=9_000_115) == 9_000_115
    with pytest.raises(build.BuildError, match=r"'tool-x' has 9 MB of code.*numpy \(6 MB\), pandas \(3 MB\), six"):
        check_size("tool-x", asset, layers, most=9_000_114)
