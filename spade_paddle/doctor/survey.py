"""Everything the checks look at, read once: which files there are and what each is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spade_paddle.config import Config, DataConfig
from spade_paddle.data.dataset import Pair
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.split import side_of
from spade_paddle.doctor.instances import InstanceFacts, instance_facts
from spade_paddle.doctor.listing import Part, list_parts
from spade_paddle.doctor.maps import MapFacts, map_facts
from spade_paddle.doctor.pictures import PhotoFacts, photo_facts

QUICK_MAPS = 64  # label maps that a quick look reads whole
THREADS = 2


@dataclass(frozen=True)
class SceneFacts:
    """The files of a scene and what they are."""

    pair: Pair
    part: str  # the folder: train, val, or empty in a flat data set
    side: str  # train or val, by the folder or by data/split.py
    photo: PhotoFacts
    label_map: MapFacts
    instance_map: InstanceFacts | None


@dataclass(frozen=True)
class Survey:
    """A data set as the checks see it."""

    folder: Path
    label_set: LabelSet
    config: Config | None
    quick: bool
    parts: tuple[Part, ...]
    scenes: tuple[SceneFacts, ...]

    def name(self, path: Path) -> str:
        """How findings call a file."""
        return path.relative_to(self.folder).as_posix()

    def names(self, paths: list[Path]) -> tuple[str, ...]:
        """How findings call files."""
        return tuple(self.name(path) for path in paths)

    def maps_read(self) -> Iterator[tuple[str, MapFacts]]:
        """Names and facts of the label maps whose ids are known."""
        for scene in self.scenes:
            if scene.label_map.counts is not None:
                yield self.name(scene.pair.label_map), scene.label_map

    def look_at(self, pair: Pair, *, part: str, ids: bool) -> SceneFacts:
        """Look at the files of a scene; ``ids`` says whether its label map is read whole."""
        whole = not self.quick
        label_map, values = map_facts(
            pair.label_map, label_set=self.label_set, ids=ids, whole=whole
        )
        instance_map = None
        if pair.instance_map is not None:
            instance_map = instance_facts(pair.instance_map, values, whole=whole)
        return SceneFacts(
            pair=pair,
            part=part,
            side=part or side_of(pair.stem, val_share=self.val_share),
            photo=photo_facts(pair.photo, whole=whole),
            label_map=label_map,
            instance_map=instance_map,
        )

    @property
    def val_share(self) -> float:
        """How much of a flat data set is for looking at the results."""
        return (self.config.data if self.config else DataConfig()).val_share


def take_survey(folder: Path, label_set: LabelSet, *, config: Config | None, quick: bool) -> Survey:
    """List the files and look at them; ``quick`` reads headers and a sample of label maps."""
    parts = list_parts(folder)
    pairs = [(part.name, pair) for part in parts for pair in part.pairs]
    sample = _sample(len(pairs)) if quick else set(range(len(pairs)))

    empty = Survey(folder, label_set, config, quick, parts, scenes=())

    def look(index: int) -> SceneFacts:
        part, pair = pairs[index]
        return empty.look_at(pair, part=part, ids=index in sample)

    with ThreadPoolExecutor(THREADS) as pool:
        scenes = tuple(pool.map(look, range(len(pairs))))
    return dataclasses.replace(empty, scenes=scenes)


def _sample(count: int) -> set[int]:
    """QUICK_MAPS of so many, evenly spread; always the same ones."""
    if count <= QUICK_MAPS:
        return set(range(count))
    step = count / QUICK_MAPS
    offsets = np.random.default_rng(0).uniform(0, step, QUICK_MAPS)
    return {int(index * step + offset) for index, offset in enumerate(offsets)}
