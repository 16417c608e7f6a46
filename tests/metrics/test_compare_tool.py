"""tools/compare_maps.py in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from spade_paddle.data.label_maps import write_label_map
from tests.engine.conftest import environment


@pytest.fixture
def compare(processes, root, tmp_path):
    def run():
        command = [sys.executable, str(root / "tools" / "compare_maps.py")]
        command += ["--maps", str(tmp_path / "maps"), "--truth", str(tmp_path / "truth")]
        return subprocess.run(
            command, env=environment(root), capture_output=True, text=True, check=False
        )

    return run


def test_table_has_the_numbers_worked_out_by_hand(compare, tmp_path, landscape):
    truth = np.array([[1, 1, 1, 7], [7, 7, 5, 255]], np.uint8)
    given = np.array([[1, 1, 7, 7], [7, 255, 7, 5]], np.uint8)
    write_label_map(tmp_path / "truth" / "a.png", truth, landscape)
    # maps of another size are brought to that of the truth
    write_label_map(tmp_path / "maps" / "a.png", given.repeat(2, axis=0), landscape)
    result = compare()
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert "| sky | 0.667 | 0.667 | 0.429 |" in lines
    assert "| tree | 0.000 | 0.000 | 0.143 |" in lines
    assert "| water | 0.400 | 0.667 | 0.429 |" in lines
    assert "| rock | - | - | 0.000 |" in lines
    assert "mean IoU 0.356, pixel accuracy 0.571" in lines


def test_missing_maps_are_told(compare, tmp_path, landscape):
    write_label_map(tmp_path / "truth" / "a.png", np.zeros((2, 2), np.uint8), landscape)
    (tmp_path / "maps").mkdir()
    result = compare()
    assert result.returncode == 2
    assert "of the 1 maps in" in result.stderr
    assert "missing: a.png" in result.stderr
