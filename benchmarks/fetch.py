"""Brings the pinned packages: each one's wheel by name and version, of which only the Python files are kept."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from corpus import FOLDERS, pinned, pins, python_files


def main() -> None:
    wanted = pinned()
    for folder in FOLDERS.values():
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            if old not in {each.folder for each in wanted}:
                shutil.rmtree(old)
    for name, version, target in wanted:
        if not target.is_dir():
            unpack(download(name, version), target)
        print(f"{target.name}: {sum(1 for _ in python_files(target))} files")


def download(name: str, version: str) -> bytes:
    """The wheel for the pinned platform, whatever machine this is."""
    lists = pins()
    platforms = [option for tag in lists["platforms"] for option in ("--platform", tag)]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                "--only-binary", ":all:", "--python-version", str(lists["python"]), "--implementation", "cp",
                *platforms, "--dest", folder, f"{name}=={version}",
            ],
            check=True,
        )  # fmt: skip
        (wheel,) = Path(folder).iterdir()
        return wheel.read_bytes()


def unpack(wheel: bytes, target: Path) -> None:
    """All or nothing: the folder gets its name when it is whole."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        half = Path(folder, "half")
        half.mkdir()
        packed = Path(folder, "wheel")
        packed.write_bytes(wheel)
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(half, [name for name in archive.namelist() if name.endswith(".py")])
        half.rename(target)


if __name__ == "__main__":
    main()
