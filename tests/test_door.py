"""What the package offers by name, and the README's lines that use it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

import spade_paddle
from spade_paddle.config import Config


def readme_examples(root, name: str = "README.md") -> list[str]:
    text = (root / name).read_text(encoding="utf-8")
    return [
        code
        for code in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
        if "from spade_paddle import" in code
    ]


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (0, "assert picture.shape == (256, 384, 3) and picture.std() > 5"),
        (
            1,
            "assert features.shape == [1, 32, 32, 32]\n"
            "assert picture.shape == [1, 3, 128, 128] and float(picture.abs().max()) <= 1\n"
            "assert [len(scale) for scale in stages] == [7, 7]",
        ),
    ],
)
def test_the_lines_of_the_readme_do_what_they_say(root, tmp_path, index, expected):
    examples = readme_examples(root)
    assert len(examples) == 2
    done = subprocess.run(
        [sys.executable, "-c", f"{examples[index]}\n{expected}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_chinese_readme_shows_the_same_lines(root):
    def code(name):
        examples = readme_examples(root, name)
        return [[line.partition("#")[0] for line in each.splitlines()] for each in examples]

    assert code("README_zh.md") == code("README.md") != []


def test_every_name_is_there_and_nothing_is_loaded_before_it_is_used():
    assert all(getattr(spade_paddle, name) is not None for name in spade_paddle.__all__)
    assert set(spade_paddle.__all__) <= set(dir(spade_paddle))
    assert not {"zlib", "importlib"} & set(dir(spade_paddle))
    with pytest.raises(AttributeError, match="has no attribute 'Painting'"):
        _ = spade_paddle.Painting
    code = "import spade_paddle, sys; sys.exit('paddle' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_imported_says_nothing(root):
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
