"""The doctor's examination: a folder in, a report out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from spade_paddle.config import Config
from spade_paddle.data.dataset import PARTS
from spade_paddle.data.labels import LabelSet
from spade_paddle.doctor.dataset_report import DatasetReport
from spade_paddle.doctor.file_names import check_names
from spade_paddle.doctor.findings import WARNING, findings_of, shorten
from spade_paddle.doctor.map_checks import check_labels, check_maps
from spade_paddle.doctor.numbering import check_ids
from spade_paddle.doctor.photo_checks import check_duplicates, check_photos
from spade_paddle.doctor.summary import PartSummary, suggest, summarize
from spade_paddle.doctor.survey import Survey, maps_read, take_survey

CHECKS = (check_names, check_photos, check_maps, check_ids, check_duplicates)


def examine(
    folder: str | Path, label_set: LabelSet, *, config: Config | None = None, quick: bool = False
) -> DatasetReport:
    """Look for everything that stops training on a data set or spoils its result.

    Args:
        folder: the data set (see data/dataset.py). Nothing is changed in it.
        label_set: what the ids of its label maps mean.
        config: the configuration it is to be trained with, for what depends on it.
        quick: read headers, and 64 label maps only: enough for most of what stops training.

    Raises:
        DataError: there is no such folder.
    """
    return report_of(take_survey(folder, label_set, config=config, quick=quick))


def check_before_training(
    folder: str | Path, label_set: LabelSet, *, config: Config, warn: Callable[[str], None] | None
) -> None:
    """A quick look in less than a second: stop at the worst error, tell warnings.

    Raises:
        DataError: of the code of what was found.
    """
    report = examine(folder, label_set, config=config, quick=True)
    report.stop_at_errors()
    for finding in report.of(WARNING) if warn is not None else ():
        files = shorten(finding.files, 2)
        warn(f"warning: {files}: {finding.message} (tools/doctor.py tells more)")


def report_of(survey: Survey) -> DatasetReport:
    """What is to be said about the files."""
    summary = tuple(_summary(survey, side) for side in PARTS)
    issues = [issue for check in CHECKS for issue in check(survey)]
    # which labels occur is known when the ids are right only
    if not {issue.code for issue in issues} & {"ids_multiplied", "ids_off_by_one"}:
        issues.extend(check_labels(survey, summary[0]))
    return DatasetReport(
        folder=survey.folder,
        label_set=survey.label_set,
        findings=findings_of(issues, survey.folder),
        summary=summary,
        suggestions=suggest(survey, summary),
        quick=survey.quick,
    )


def _summary(survey: Survey, side: str) -> PartSummary:
    scenes = [scene for scene in survey.scenes if scene.side == side]
    return summarize(
        side,
        sizes=[scene.photo.size for scene in scenes if not scene.photo.problem],
        counts=[facts.counts for facts in maps_read(scenes).values()],
        num_labels=len(survey.label_set),
    )
