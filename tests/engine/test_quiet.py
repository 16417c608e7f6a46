"""What people run says what it does, and nothing that they could do nothing about."""

from __future__ import annotations

import logging
import subprocess
import sys

import paddle
import pytest

from spade_paddle.engine.quiet import filter_stderr

# the article's generator, exported, and painted by Paddle Inference: each used to say something
EXPORT_AND_PAINT = """
import argparse, sys
from pathlib import Path
from spade_paddle.cli import run_tool
from spade_paddle.engine.cpu import apply_cpu_settings

def work(arguments):
    apply_cpu_settings()
    import numpy as np
    from spade_paddle import Config, Painter
    from spade_paddle.data.label_sets import find_label_set
    from spade_paddle.inference.timing import export_untrained
    small = ("generator.ngf=4", "generator.param_free_norm=batch")
    config = Config.preset("article", *small, "data.load_size=64", "data.crop_size=64")
    folder = export_untrained(config, find_label_set("landscape"), Path("model"))
    picture = Painter.load(folder, engine="paddle").paint(np.ones((64, 64), np.uint8))
    print(picture.shape)
    return 0

sys.exit(run_tool(work, argparse.ArgumentParser()))
"""


@pytest.mark.skipif(paddle.__version__ < "3", reason="Paddle 2 warns of an operator of its own")
def test_exporting_and_painting_print_nothing_of_paddles_own(processes, tmp_path, root):
    done = subprocess.run(
        [sys.executable, "-c", EXPORT_AND_PAINT],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(root), "OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "(64, 64, 3)\n"


def test_a_handler_that_was_made_meanwhile_goes_on_logging(capsys):
    with filter_stderr(("noise:",)):
        handler = logging.StreamHandler()  # as Paddle adds one to the root logger when imported
    logger = logging.Logger("later")
    logger.addHandler(handler)
    logger.error("a request")
    logger.error("noise: said by somebody else, later")
    handler.stream.write("unfinished")
    expected = "a request\nnoise: said by somebody else, later\nunfinished"
    assert capsys.readouterr().err == expected


def test_a_line_that_is_written_in_pieces_is_seen_as_a_whole(capsys):
    with filter_stderr(("noise:",)):
        for piece in ("noi", "se: 1\nkept", " whole\nno", "ise: 2"):
            sys.stderr.write(piece)
    assert capsys.readouterr().err == "kept whole\n"


def test_other_lines_are_told_and_nothing_is_lost_by_an_error(capsys):
    with pytest.raises(ImportError), filter_stderr(("noise:",)):
        print("noise: 2", file=sys.stderr)
        print("libpaddle.so: wrong ELF class", file=sys.stderr)
        raise ImportError
    assert capsys.readouterr().err == "libpaddle.so: wrong ELF class\n"
