"""Training in the modes that keep every photo's own size, and on flat data sets, as people do."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PIL import Image

from spade_paddle.data.dataset import find_pairs
from tests.engine.conftest import Workshop, environment
from tests.synthetic import write_synthetic_dataset

SHARE = "data.val_share=0.5"
VAL = ["tall0001", "wide0002"]  # which of the five photos fall to val with it


@pytest.fixture(scope="module")
def flat(workshop, landscape) -> Workshop:
    """A flat data set: three photos of 64 x 96 pixels and two upright ones."""
    shop = Workshop(workshop.folder, workshop.root)
    shop.data = workshop.folder / "flat"
    for name, train, size in (("wide", 3, (64, 96)), ("tall", 2, (96, 64))):
        folder = workshop.folder / name
        height, width = size
        write_synthetic_dataset(
            folder, label_set=landscape, train=train, val=0, height=height, width=width
        )
        for path in sorted((folder / "train").rglob("*.png")):
            target = shop.data / path.parent.name / f"{name}{path.name}"
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
    return shop


def tool(shop, name, *options):
    """Run another tool in the workshop's folder; what it prints."""
    result = subprocess.run(
        [sys.executable, str(shop.root / "tools" / f"{name}.py"), *options],
        capture_output=True,
        text=True,
        env=environment(shop.root),
        cwd=shop.folder,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_pictures_of_every_size_are_trained_one_by_one_and_shown(flat):
    result = flat.train("own-sizes", SHARE, "data.load_mode=none", "batch_size=1")
    assert result.returncode == 0, result.stderr
    assert [pair.stem for pair in find_pairs(flat.data, "val", val_share=0.5)] == VAL
    # one upright and one wide, each in a cell of 96 x 96 with gaps of 4
    picture = Image.open(flat.folder / "own-sizes" / "samples" / "0000000008-samples.png")
    assert picture.size == (96 * 4 + 12, 96 * 2 + 4)
    tool(flat, "export", "--run", "own-sizes", "--out", "model")
    sheet = ("--model", "model", "--data", "flat", "--out", "sheet.png", "--side", "16")
    assert "2 scenes" in tool(flat, "sheet", *sheet)  # the model knows its share
    assert Image.open(flat.folder / "sheet.png").size == (6 * 16 + 5 * 4, 16)


def test_a_batch_of_different_sizes_is_refused_before_anything_is_trained(flat):
    result = flat.train("mixed", SHARE, "data.load_mode=scale_shortside", "data.load_size=64")
    assert result.returncode == 2
    error = result.stderr.strip().splitlines()[-1]
    assert "must have one size" in error
    assert "tall000" in error and "wide000" in error
    assert not (flat.folder / "mixed").exists()


def test_a_share_that_leaves_nothing_to_look_at_is_refused(flat):
    result = flat.train("blind", "data.val_share=0")
    assert result.returncode == 2
    assert "is in val with data.val_share 0" in result.stderr.strip().splitlines()[-1]
