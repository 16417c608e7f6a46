"""What the package offers by name, and the lines of README and guide that use it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

import spade_paddle
from spade_paddle.config import Config


def example(root, name: str) -> str:
    """The one block of a page that imports the package."""
    text = (root / name).read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    (block,) = [block for block in blocks if "from spade_paddle import" in block]
    return block


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("README.md", "assert picture.shape == (256, 384, 3) and picture.std() > 5"),
        (
            "docs/guide.md",
            "assert features.shape == [1, 32, 32, 32]\n"
            "assert picture.shape == [1, 3, 128, 128] and float(picture.abs().max()) <= 1\n"
            "assert [len(scale) for scale in stages] == [7, 7]",
        ),
    ],
)
def test_the_lines_of_a_page_do_what_they_say(processes, root, tmp_path, page, expected):
    done = subprocess.run(
        [sys.executable, "-c", f"{example(root, page)}\n{expected}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", ["README", "docs/guide"])
def test_the_chinese_page_shows_the_same_lines(root, page):
    def code(name):
        return [line.partition("#")[0] for line in example(root, name).splitlines()]

    assert code(f"{page}_zh.md") == code(f"{page}.md")


def test_every_name_is_there_and_nothing_is_loaded_before_it_is_used(processes):
    assert all(getattr(spade_paddle, name) is not None for name in spade_paddle.__all__)
    assert set(spade_paddle.__all__) <= set(dir(spade_paddle))
    assert not {"zlib", "importlib"} & set(dir(spade_paddle))
    with pytest.raises(AttributeError, match="has no attribute 'Painting'"):
        _ = spade_paddle.Painting
    code = "import spade_paddle, sys; sys.exit('paddle' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_imported_says_nothing(processes, root):
    """Paddle warns at each start that no compiler cache is there."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    result = subprocess.run(
        [sys.executable, "-W", "default", "-c", "from spade_paddle import simam"],
        capture_output=True,
        text=True,
        env={**environment, "PYTHONPATH": str(root)},
        check=True,
    )
    assert "ccache" not in result.stdout + result.stderr


def test_a_preset_is_a_configuration_by_its_name(root):
    assert Config.preset("spade").generator.ngf == 64
    assert Config.preset("landscape_cpu", "total_images=7").total_images == 7
