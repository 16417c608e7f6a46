"""Examines a data set and returns a report."""

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
    """Find everything that would make training fail or impair its result.

    Args:
        folder: the data set (see data/dataset.py), which is not changed.
        label_set: the meaning of the ids in its label maps.
        config: the training configuration, for checks that depend on it.
        quick: read only headers and 64 label maps, which finds most causes of failure.

    Raises:
        DataError: the folder does not exist.
    """
    return report_of(take_survey(folder, label_set, config=config, quick=quick))


def check_before_training(
    folder: str | Path, label_set: LabelSet, *, config: Config, warn: Callable[[str], None] | None
) -> None:
    """Do a quick check, which takes less than a second: raise the worst error, print warnings.

    Raises:
        DataError: the worst error, with its code.
    """
    report = examine(folder, label_set, config=config, quick=True)
    report.stop_at_errors()
    for finding in report.of(WARNING) if warn is not None else ():
        files = shorten(finding.files, 2)
        warn(f"warning: {files}: {finding.message} (tools/doctor.py has details)")


def report_of(survey: Survey) -> DatasetReport:
    """Run all checks on a survey."""
    summary = tuple(_summary(survey, side) for side in PARTS)
    issues = [issue for check in CHECKS for issue in check(survey)]
    # label statistics make sense only if the ids are right
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
