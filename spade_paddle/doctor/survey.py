"""Lists and inspects the files of a data set once, for all checks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spade_paddle.config import Config, DataConfig
from spade_paddle.data.dataset import PARTS, Pair, Part, dataset_parts
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.split import split_of
from spade_paddle.doctor.map_facts import MapFacts, instance_map_facts, label_map_facts
from spade_paddle.doctor.photo_facts import PhotoFacts, photo_facts
from spade_paddle.errors import DataError

QUICK_MAPS = 64  # label maps that a quick survey reads completely
_THREADS = 2


@dataclass(frozen=True)
class SceneFacts:
    """The files of a scene and their properties."""

    pair: Pair
    part: str  # the folder: train, val, or empty in a flat data set
    side: str  # train or val, by the folder or by data/split.py
    photo: PhotoFacts
    label_map: MapFacts
    instance_map: MapFacts | None


@dataclass(frozen=True)
class Survey:
    """The inspected files of a data set; ``quick`` means that only a sample was read completely."""

    folder: Path
    label_set: LabelSet
    config: Config | None
    quick: bool
    parts: tuple[Part, ...]
    scenes: tuple[SceneFacts, ...] = ()

    @property
    def val_share(self) -> float:
        """The validation share of a flat data set, 0..1."""
        return (self.config.data if self.config else DataConfig()).val_share

    def inspect(self, pair: Pair, *, part: str, ids: bool) -> SceneFacts:
        """Inspect the files of a scene; ``ids``: read the values of its label map, too."""
        whole = not self.quick
        label_map, values = label_map_facts(pair.label_map, self.label_set, ids=ids, whole=whole)
        instance_map = None
        if pair.instance_map is not None:
            instance_map = instance_map_facts(pair.instance_map, values, whole=whole)
        return SceneFacts(
            pair=pair,
            part=part,
            side=part or split_of(pair.stem, val_share=self.val_share),
            photo=photo_facts(pair.photo, whole=whole),
            label_map=label_map,
            instance_map=instance_map,
        )


def take_survey(
    folder: str | Path, label_set: LabelSet, *, config: Config | None = None, quick: bool = False
) -> Survey:
    """List and inspect the files of a data set; arguments and errors as of ``examine``."""
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(
            f"{folder}: there is no such folder; give the folder with train/ and val/",
            code="data_folder_missing",
        )
    try:
        names = dataset_parts(folder)
    except DataError:  # of neither layout, which the checks will report
        names = PARTS
    empty = Survey(folder, label_set, config, quick, tuple(Part(folder, name) for name in names))
    pairs = [(part.name, pair) for part in empty.parts for pair in part.pairs]
    sample = _sample(len(pairs)) if quick else range(len(pairs))

    def look(index: int) -> SceneFacts:
        part, pair = pairs[index]
        return empty.inspect(pair, part=part, ids=index in sample)

    with ThreadPoolExecutor(_THREADS) as pool:
        return dataclasses.replace(empty, scenes=tuple(pool.map(look, range(len(pairs)))))


def maps_read(scenes: Iterable[SceneFacts]) -> dict[Path, MapFacts]:
    """The label maps whose values were read."""
    facts = {scene.pair.label_map: scene.label_map for scene in scenes}
    return {path: label_map for path, label_map in facts.items() if label_map.counts is not None}


def _sample(count: int) -> set[int]:
    """Indices of QUICK_MAPS of ``count`` maps, stratified and deterministic."""
    if count <= QUICK_MAPS:
        return set(range(count))
    step = count / QUICK_MAPS
    offsets = np.random.default_rng(0).uniform(0, step, QUICK_MAPS)
    return {int(index * step + offset) for index, offset in enumerate(offsets)}
