"""Training in the modes that keep every photo's own size, and on flat data sets, as people do."""

from __future__ import annotations

import pytest
from PIL import Image

from spade_paddle.data.dataset import find_pairs
from spade_paddle.data.synthetic import write_synthetic_dataset
from tests.engine.conftest import Workshop

SHARE = "data.val_share=0.4"  # of the five photos one or more on either side


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


def test_pictures_of_every_size_are_trained_one_by_one_and_sampled(flat):
    result = flat.train("own-sizes", SHARE, "data.load_mode=none", "batch_size=1")
    assert result.returncode == 0, result.stderr
    val = [pair.stem for pair in find_pairs(flat.data, "val", val_share=0.4)]
    rows = min(len(val), 4)
    sizes = [(64, 96) if stem.startswith("wide") else (96, 64) for stem in val[:rows]]
    height, width = (max(size[axis] for size in sizes) for axis in (0, 1))
    picture = Image.open(flat.folder / "own-sizes" / "samples" / "0000000008-samples.png")
    assert picture.size == (width * 3 + 8, height * rows + 4 * (rows - 1))


def test_a_batch_of_different_sizes_is_refused_before_anything_is_trained(flat):
    result = flat.train("mixed", SHARE, "data.load_mode=scale_shortside", "data.load_size=64")
    assert result.returncode == 2
    error = result.stderr.strip().splitlines()[-1]
    assert "needs one size" in error
    assert "tall000" in error and "wide000" in error
    assert not (flat.folder / "mixed").exists()


def test_a_share_that_leaves_nothing_to_look_at_is_refused(flat):
    result = flat.train("blind", "data.val_share=0")
    assert result.returncode == 2
    assert "falls to val with data.val_share 0.0" in result.stderr.strip().splitlines()[-1]
