"""Runs the page's own tests (``*.test.mjs``) in Node."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = sorted(Path(__file__).parent.glob("*.test.mjs"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_page_modules_keep_their_promises(processes, path: Path) -> None:
    node = shutil.which("node")
    assert node, "the page's tests need Node 18 or newer on the PATH; on Debian: apt install nodejs"
    done = subprocess.run(
        [node, "--test", str(path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
