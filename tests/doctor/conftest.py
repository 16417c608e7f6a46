"""A small data set in which nothing is wrong, to plant one fault at a time into."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spade_paddle.data.labels import LabelSet
from spade_paddle.doctor.examine import examine
from tests.synthetic import write_synthetic_dataset

EXIF_ORIENTATION = 0x0112


class DataSet:
    """Six scenes in train, two in val, 96 x 64 pixels, and every one of eight labels in each."""

    def __init__(self, folder: Path, label_set: LabelSet) -> None:
        self.folder = folder
        self.label_set = label_set

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    def found(self, **options) -> dict[str, tuple[str, ...]]:
        """The files of every finding, by its code."""
        report = self.examine(**options)
        codes = [finding.code for finding in report.findings]
        assert len(codes) == len(set(codes)), codes
        return {finding.code: finding.files for finding in report.findings}

    def examine(self, **options):
        return examine(self.folder, self.label_set, **options)

    def message(self, code: str, **options) -> str:
        """What is said about the one finding of this code, and the hint."""
        (finding,) = (f for f in self.examine(**options).findings if f.code == code)
        return f"{finding.message}; {finding.hint}"

    def ids(self, name: str) -> np.ndarray:
        """A label map or instance map as an array that may be changed."""
        with Image.open(self.folder / name) as image:
            return np.array(image)

    def write(self, name: str, array: np.ndarray, *, kind: str = "PNG", orientation: int = 1):
        """Replace a picture."""
        image = Image.fromarray(array)
        exif = image.getexif()
        if orientation != 1:
            exif[EXIF_ORIENTATION] = orientation
        image.save(self.folder / name, kind, exif=exif)

    def change_maps(self, change) -> None:
        """Replace every label map by a function of it."""
        for path in sorted(self.folder.glob("**/labels/*.png")):
            name = path.relative_to(self.folder).as_posix()
            self.write(name, change(self.ids(name)))


def all_labels(folder: Path) -> None:
    """Put squares of the even ids, which synthetic scenes lack, into every label map."""
    for path in sorted(folder.glob("**/labels/*.png")):
        with Image.open(path) as image:
            label_map = np.array(image)
        for column, label in enumerate((0, 2, 4, 6)):
            label_map[8:16, 8 + 20 * column : 16 + 20 * column] = label
        Image.fromarray(label_map).save(path)


@pytest.fixture(scope="session")
def eight(landscape) -> LabelSet:
    """The first eight labels of the landscape set, as a set of their own."""
    return LabelSet("eight", landscape.labels[:8])


@pytest.fixture
def dataset(tmp_path, eight) -> DataSet:
    folder = write_synthetic_dataset(tmp_path / "data", label_set=eight)
    all_labels(folder)
    return DataSet(folder, eight)


@pytest.fixture
def with_instances(tmp_path, eight) -> DataSet:
    """The same with instance maps of 16 bits."""
    folder = write_synthetic_dataset(tmp_path / "instances", label_set=eight, instances=True)
    all_labels(folder)
    return DataSet(folder, eight)
