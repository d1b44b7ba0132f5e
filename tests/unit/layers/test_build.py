"""What a function's asset holds."""

import hashlib
import marshal
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from layers import build, bytecode
from layers.commands import BuildError, choose_environment

ROOT = Path(__file__).resolve().parents[3]


def test_a_tools_asset_holds_its_module_and_the_code_that_tools_share(tmp_path: Path) -> None:
    tools = tmp_path / "functions" / "tools"
    tools.mkdir(parents=True)
    for path in (tools / "__init__.py", tools / "mine.py", tools / "other.py", tools / "_shared.py"):
        path.write_text(f'"""{path.stem}."""\n')
    (tmp_path / "functions" / "__init__.py").touch()
    asset = build.build_tool_asset(tmp_path, ["functions.tools.mine"])
    assert {path.relative_to(asset).as_posix() for path in asset.rglob("*.py")} == {
        "functions/__init__.py",
        "functions/tools/__init__.py",
        "functions/tools/_shared.py",
        "functions/tools/mine.py",
    }


_MADE = r"""
import os, sys
os.umask(int(sys.argv[2], 8))
from pathlib import Path
from layers import build

root = Path(sys.argv[1])
own = f"{sys.version_info.major}.{sys.version_info.minor}"
build.RUNTIME_VERSION = own if sys.argv[3] == "compiled" else "another"
build.build_tool_asset(root, ["functions.tools.mine"])
build.build_pentad_layer(root)
build.build_catalog_layer(root, '{"prompt": "Gr\u00fc\u00dfe, \u4f60\u597d"}', "label: Fr\u00fch\n")
"""
MACHINES = [
    ("022", {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "1"}),
    ("077", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "2"}),
    (
        "027",
        {"LC_ALL": "tr_TR.ISO-8859-9", "PYTHONUTF8": "0", "TZ": "America/Lima", "PYTHONHASHSEED": "3"}
        | {"PYTHONOPTIMIZE": "2", "PYTHONPYCACHEPREFIX": "pycache", "PYTHONNODEBUGRANGES": "1"},
    ),
]


def write_project(root: Path) -> None:
    """Write a small project, with what editors leave behind, which is no two machines' alike."""
    tools, package = root / "functions" / "tools", root / "shared" / "pentad"
    tools.mkdir(parents=True)
    (package / "cli").mkdir(parents=True)
    for path in (root / "functions" / "__init__.py", tools / "__init__.py", package / "__init__.py"):
        path.touch()
    (tools / "mine.py").write_text('"""Grüße."""\nNAMES = {"one", "two", "three", "four"}\n', encoding="utf-8")
    (package / "words.py").write_text('"""你好."""\nFOUND = "x" in {"a", "b", "c", "d", "e"}\n', encoding="utf-8")
    (package / "py.typed").touch()


def make_builds(root: Path, umask: str, environment: dict[str, str], compiled: str) -> dict[str, tuple[int, bytes]]:
    """Build in a process as on one machine, and return modes and bytes by path."""
    done = subprocess.run(
        [sys.executable, "-c", _MADE, str(root), umask, compiled],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return read_builds(root)


def read_builds(root: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.relative_to(root / "build").as_posix(): (
            stat.S_IMODE(path.stat().st_mode),
            path.read_bytes() if path.is_file() else b"",
        )
        for path in (root / "build").rglob("*")
    }


@pytest.mark.parametrize("compiled", ["plain", "compiled"])
def test_builds_are_the_same_whatever_umask_locale_zone_and_folder(tmp_path: Path, compiled: str) -> None:
    made = []
    for number, (umask, environment) in enumerate(MACHINES):
        root = tmp_path / f"machine {number}" / "project"
        write_project(root)
        (root / "shared" / "pentad" / ".DS_Store").write_bytes(bytes([number]))
        (root / "shared" / "pentad" / f"words.py{'~' * (number == 1)}").touch()
        made.append(make_builds(root, umask, environment, compiled))
    assert made[0] == made[1] == made[2]
    assert {mode for path, (mode, _) in made[0].items() if "." in path.rpartition("/")[2]} == {0o644}
    assert any(path.endswith(".pyc") for path in made[0]) == (compiled == "compiled")
    assert any("Grüße, 你好".encode() in content for _, content in made[0].values())


def test_bytecode_names_files_as_lambda_has_them(tmp_path: Path) -> None:
    write_project(tmp_path)
    made = make_builds(tmp_path, "022", {}, "compiled")
    codes = {path: marshal.loads(content[16:]) for path, (_, content) in made.items() if path.endswith(".pyc")}  # noqa: S302
    names = {code.co_filename for code in codes.values()}
    assert "/var/task/functions/tools/mine.py" in names
    assert "/opt/python/pentad/words.py" in names
    # Unchecked: Lambda's clock and the archive's times have no part in it.
    assert {content[4:8] for path, (_, content) in made.items() if path.endswith(".pyc")} == {b"\x01\0\0\0"}


@pytest.mark.parametrize("compiled", ["plain", "compiled"])
def test_packages_are_the_same_whatever_the_machine_and_keep_no_note_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: str
) -> None:
    lock, own = write_wheel(tmp_path / "wheels"), f"{sys.version_info.major}.{sys.version_info.minor}"
    monkeypatch.setattr(build, "RUNTIME_VERSION", own if compiled == "compiled" else "3.99")
    build._makes_bytecode.cache_clear()
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    made = []
    for number, umask in enumerate((0o022, 0o077)):
        if number == 1:
            configure_uv(tmp_path, monkeypatch)
        root = tmp_path / f"machine-{number}"
        (root / "requirements").mkdir(parents=True)
        (root / "requirements" / "lambda.txt").write_text(lock)
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / f"cache-{number}"))
        before = os.umask(umask)
        try:
            build.build_dependencies_layer(root)
        finally:
            os.umask(before)
        made.append(read_builds(root))
    build._makes_bytecode.cache_clear()
    assert made[0] == made[1]
    assert any(path.endswith(".pyc") for path in made[0]) == (compiled == "compiled")
    names = {path.rpartition("/")[2] for path in made[0]}
    assert {"METADATA", "entry_points.txt", "__init__.py"} <= names
    assert not names & {"RECORD", "INSTALLER", "REQUESTED", "bin"}
    assert {mode for mode, content in made[0].values() if content} == {0o644}


def configure_uv(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Say as a user may how uv and Python work, and by uv's own file where packages are."""
    file = folder / "config" / "uv" / "uv.toml"
    file.parent.mkdir(parents=True)
    wheels = (folder / "wheels").as_posix()
    file.write_text(f'[pip]\nno-index = true\nfind-links = ["{wheels}"]\ncompile-bytecode = true\n')
    for name in ("UV_FIND_LINKS", "UV_NO_INDEX"):
        monkeypatch.delenv(name)
    for name, value in {
        "XDG_CONFIG_HOME": str(folder / "config"),
        "UV_COMPILE_BYTECODE": "1",
        "UV_LINK_MODE": "symlink",
        "UV_NO_BINARY": "1",
        "UV_EXCLUDE_NEWER": "2001-01-01T00:00:00Z",
        "PYTHONOPTIMIZE": "1",
        "PYTHONPYCACHEPREFIX": str(folder / "pycache"),
    }.items():
        monkeypatch.setenv(name, value)


def write_wheel(folder: Path) -> str:
    """Write a package with a command of its own, and return its line in a lock."""
    folder.mkdir()
    files = {
        "tiny/__init__.py": "def main() -> None:\n    assert True\n",
        "tiny/__pycache__/__init__.cpython-36.pyc": "of another interpreter",
        "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "tiny-1.0.dist-info/entry_points.txt": "[console_scripts]\ntiny = tiny:main\n",
    }
    wheel = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr("tiny-1.0.dist-info/RECORD", "".join(f"{name},,\n" for name in files))
    return f"tiny==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def test_what_reaches_a_package_index_stays_and_what_changes_bytes_goes() -> None:
    kept = {
        *("PATH", "HOME", "HTTPS_PROXY", "no_proxy", "SSL_CERT_FILE", "NETRC", "AWS_PROFILE", "XDG_CONFIG_HOME"),
        *("UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_INDEX_INTERNAL_PASSWORD", "UV_FIND_LINKS"),
        *("UV_KEYRING_PROVIDER", "UV_NATIVE_TLS", "UV_HTTP_TIMEOUT", "UV_CACHE_DIR", "UV_INDEX", "UV_CONFIG_FILE"),
        "PYTHON_KEYRING_BACKEND",
    }
    dropped = {
        *("UV_COMPILE_BYTECODE", "UV_NO_BINARY", "UV_CONSTRAINT", "UV_OVERRIDE", "UV_NO_VERIFY_HASHES", "UV_TARGET"),
        *("PYTHONOPTIMIZE", "PYTHONPYCACHEPREFIX", "PYTHONPATH", "PYTHONHASHSEED", "PIP_TARGET", "UV_TORCH_BACKEND"),
    }
    assert set(choose_environment(dict.fromkeys(kept | dropped, "x"))) == kept


def test_a_build_with_bytecode_for_a_part_of_it_is_refused(tmp_path: Path) -> None:
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text("x = 1\n")
    (tmp_path / "template.py").write_text("{{ no Python }}: (\n")
    bytecode.compile_build(tmp_path, "/opt", "layer-test")
    bytecode.check_bytecode(tmp_path, "layer-test", compiled=True)
    with pytest.raises(BuildError, match=r"has bytecode .*one.* that nobody made"):
        bytecode.check_bytecode(tmp_path, "layer-test", compiled=False)
    [made] = (tmp_path / "__pycache__").glob("two.*.pyc")
    content = made.read_bytes()
    made.write_bytes(content[:4] + b"\0" + content[5:])  # checked by time
    with pytest.raises(BuildError, match=r"two.py has no bytecode with an unchecked hash"):
        bytecode.check_bytecode(tmp_path, "layer-test", compiled=True)
    made.unlink()
    with pytest.raises(BuildError, match=r"two.py has no bytecode"):
        bytecode.check_bytecode(tmp_path, "layer-test", compiled=True)
    bytecode.remove_bytecode(tmp_path)
    bytecode.check_bytecode(tmp_path, "layer-test", compiled=False)
