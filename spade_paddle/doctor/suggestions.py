"""Lines of a configuration that fit a data set."""

from __future__ import annotations

from collections.abc import Sequence

from spade_paddle.config import Config
from spade_paddle.data.labels import DONT_CARE, LABELS_FILE, LabelSet
from spade_paddle.doctor.summary import PartSummary
from spade_paddle.doctor.survey import Survey
from spade_paddle.errors import ConfigError

LARGEST_CROP = 256
LOAD = 286 / 256  # short side over crop


def suggest(survey: Survey, parts: Sequence[PartSummary]) -> tuple[str, ...]:
    """The ``data:`` section for a survey; empty when there is nothing to go by."""
    sizes = [part.smallest for part in parts if part.scenes]
    if not sizes:
        return ()
    smallest = min(sizes, key=min)
    multiple = (survey.config or Config()).generator.multiple
    crop = max(multiple, min(LARGEST_CROP, min(smallest) // multiple * multiple))
    load = max(crop, min(round(crop * LOAD), min(smallest)))
    labels = f"  labels: {_labels_file(survey)}  # {len(survey.label_set)} labels"
    return (
        "data:",
        labels,
        f"  crop_size: {crop}",
        f"  load_size: {load}  # the smallest photo is {smallest[0]}x{smallest[1]}",
        _dont_care(survey, parts),
        _instance_edges(survey),
    )


def _labels_file(survey: Survey) -> str:
    own = survey.folder / LABELS_FILE
    try:
        if own.is_file() and LabelSet.load(own) == survey.label_set:
            return str(own.resolve())
    except ConfigError:  # of another form, and not what was asked for
        pass
    return f"labels/{survey.label_set.name}.yaml"


def _dont_care(survey: Survey, parts: Sequence[PartSummary]) -> str:
    drops = survey.config is not None and survey.config.data.drop_label_probability > 0
    if any(part.maps[-1] for part in parts):
        return f"  dont_care: true  # {DONT_CARE} occurs"
    if drops:
        return "  dont_care: true  # needed by drop_label_probability"
    return f"  dont_care: false  # no {DONT_CARE}; true is needed by drop_label_probability"


def _instance_edges(survey: Survey) -> str:
    complete = all(scene.instance_map is not None for scene in survey.scenes)
    if complete:
        return "  instance_edges: true  # there are instance maps"
    return "  instance_edges: false  # there are no instance maps"
