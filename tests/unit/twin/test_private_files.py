"""Files and folders for their owner only, whatever the umask is and whatever was there before."""

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from twin.private_files import make_private_folder, open_private, touch_private, unpack_private, write_private


@pytest.fixture(autouse=True, params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.lstat().st_mode & 0o777


def test_new_folder_and_file_are_private(tmp_path: Path) -> None:
    folder = make_private_folder(tmp_path / "a" / "b")
    write_private(folder / "f", "text")
    touch_private(folder / "t")
    assert (mode(folder), mode(folder / "f"), mode(folder / "t")) == (0o700, 0o600, 0o600)
    assert (folder / "f").read_text() == "text"


def test_existing_folder_and_file_become_private(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    file = folder / "f"
    file.write_text("a longer text")
    folder.chmod(0o777)
    file.chmod(0o666)
    make_private_folder(folder)
    touch_private(file)
    assert (mode(folder), mode(file), file.read_text()) == (0o700, 0o600, "a longer text")
    file.chmod(0o666)
    write_private(file, "short")
    assert (mode(file), file.read_text()) == (0o600, "short")


def test_working_and_home_folder_keep_their_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home" / "work").mkdir(parents=True)
    for folder in (tmp_path / "home", tmp_path / "home" / "work"):
        folder.chmod(0o755)
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        monkeypatch.chdir(folder)
        assert mode(make_private_folder(folder)) == 0o755
        assert mode(make_private_folder(tmp_path / "home")) == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 65534, 65534)
    with pytest.raises(PermissionError, match=r"'.*theirs' is not a folder of yours"):
        make_private_folder(tmp_path / "theirs")


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    (tmp_path / "folder").symlink_to(tmp_path)
    for act in (touch_private, open_private):
        with pytest.raises(OSError, match="symbolic link"):
            act(tmp_path / "link")
    with pytest.raises(PermissionError):
        make_private_folder(tmp_path / "folder")
    assert (tmp_path / "target").read_text() == "kept"


def pack(**members: str) -> zipfile.ZipFile:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return zipfile.ZipFile(data)


def test_archive_is_unpacked_for_its_owner(tmp_path: Path) -> None:
    unpack_private(pack(**{"a/b/c.py": "1", "d.py": "2", "empty/": "", "a/e.py": "3"}), tmp_path / "out")
    found = {path.relative_to(tmp_path / "out").as_posix(): mode(path) for path in (tmp_path / "out").rglob("*")}
    folders, files = ("a", "a/b", "empty"), ("a/b/c.py", "d.py", "a/e.py")
    assert found == dict.fromkeys(folders, 0o700) | dict.fromkeys(files, 0o600)
    assert (tmp_path / "out" / "a" / "b" / "c.py").read_text() == "1"


@pytest.mark.parametrize("name", ["../outside.py", "/outside.py", "a/../../outside.py"])
def test_archive_cannot_write_outside_of_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(PermissionError, match="outside"):
        unpack_private(pack(**{name: "1"}), tmp_path / "out")
    assert not (tmp_path / "outside.py").exists()
