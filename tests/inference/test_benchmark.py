"""What tools/benchmark.py prints, and how much memory many pictures take."""

from __future__ import annotations

import subprocess
import sys

import pytest

from spade_paddle.assets import WEIGHTS, find_config
from spade_paddle.config import load_config
from spade_paddle.data.label_sets import find_label_set
from spade_paddle.inference.benchmark import macs_of, memory
from spade_paddle.inference.native.generator import TABLE_BYTES
from spade_paddle.inference.timing import export_untrained

MIB = 2**20


def test_the_table_has_a_row_for_every_engine(processes, root, native_engine):
    options = ["--side", "64", "--rounds", "2", "--threads", "1"]
    command = [sys.executable, root / "tools" / "benchmark.py", "--model", WEIGHTS, *options]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    peak, *_, head, _, paddle, native, known = printed.splitlines()
    assert "GMAC/s" in peak
    columns = [name.strip() for name in head.split("|")[1:-1]]
    rows = [
        dict(zip(columns, (cell.strip() for cell in row.split("|")[1:-1])))
        for row in (paddle, native, known)
    ]
    assert [row["engine"] for row in rows] == ["paddle", "native", "native, known"]
    assert rows[0]["x Paddle"] == "1.00"
    for row in rows:
        assert float(row["GMAC"]) == pytest.approx(macs_of(WEIGHTS, 64) / 1e9, abs=0.01)
        assert float(row["ms"]) > 0 and float(row["x Paddle"]) > 0
        assert 0 < float(row["MiB"]) < 2000


def test_thirty_pictures_keep_to_the_memory_of_tables(processes, tmp_path, native_engine):
    label_set = find_label_set("landscape")
    folder = export_untrained(load_config(find_config("article")), label_set, tmp_path / "article")
    one, all_of_them = (memory(folder, "native", side=256, pictures=n) for n in (1, 31))
    grown = (all_of_them - one) * MIB
    assert TABLE_BYTES / 2 < grown <= TABLE_BYTES + 50 * MIB  # half, or the maps would be no trial
