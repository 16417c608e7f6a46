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
    def run(*options, maps=("maps",), truth=("truth",)):
        command = [sys.executable, str(root / "tools" / "compare_maps.py")]
        command += ["--maps", *(str(tmp_path / name) for name in maps)]
        command += ["--truth", *(str(tmp_path / name) for name in truth), *options]
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


def test_pixels_of_several_folders_count_together(compare, tmp_path, landscape):
    for folder, truth, given in (("1", [1, 1, 2, 5], [1, 2, 1, 5]), ("2", [1, 2], [2, 5])):
        for kind, row in (("truth", truth), ("maps", given)):
            label_map = np.array([row], np.uint8)
            write_label_map(tmp_path / f"{kind}{folder}" / "a.png", label_map, landscape)
    options = ("--together", "sky", "cloud")
    result = compare(*options, maps=("maps1", "maps2"), truth=("truth1", "truth2"))
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert "| sky | 0.250 | 0.333 | 0.500 |" in lines
    assert "| tree | 0.500 | 1.000 | 0.167 |" in lines
    # 4 of their 5 pixels are predicted as one of them, and no other pixel is
    assert "sky and cloud together: IoU 0.800" in lines
    assert lines[-1] == "2 label maps"


def test_folders_without_partner_are_told(compare):
    result = compare(maps=("maps1", "maps2"))
    assert result.returncode == 2
    assert "expected as many folders of each, got 2 and 1" in result.stderr


def test_missing_maps_are_told(compare, tmp_path, landscape):
    write_label_map(tmp_path / "truth" / "a.png", np.zeros((2, 2), np.uint8), landscape)
    (tmp_path / "maps").mkdir()
    result = compare()
    assert result.returncode == 2
    assert "of the 1 maps in" in result.stderr
    assert "missing: a.png" in result.stderr
