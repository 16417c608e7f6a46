"""The doctor's examination: a folder in, a report out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from spade_paddle.config import Config
from spade_paddle.data.dataset import PARTS
from spade_paddle.data.labels import LabelSet
from spade_paddle.doctor.duplicates import check_duplicates
from spade_paddle.doctor.findings import WARNING, Finding, Report, shorten, worst_first
from spade_paddle.doctor.id_checks import check_ids
from spade_paddle.doctor.label_checks import check_labels
from spade_paddle.doctor.map_checks import check_maps
from spade_paddle.doctor.name_checks import check_names
from spade_paddle.doctor.photo_checks import check_photos
from spade_paddle.doctor.suggestions import suggest
from spade_paddle.doctor.summary import PartSummary, summarize
from spade_paddle.doctor.survey import Survey, take_survey
from spade_paddle.errors import DataError

CHECKS = (check_names, check_photos, check_maps, check_ids, check_duplicates)


def examine(
    folder: str | Path, label_set: LabelSet, *, config: Config | None = None, quick: bool = False
) -> Report:
    """Look for everything that stops training on a data set or spoils its result.

    Args:
        folder: the data set (see data/dataset.py). Nothing is changed in it.
        label_set: what the ids of its label maps mean.
        config: the configuration it is to be trained with, for what depends on it.
        quick: read headers, and 64 label maps only: enough for most of what stops training.

    Raises:
        DataError: there is no such folder.
    """
    return report_of(survey_of(folder, label_set, config=config, quick=quick))


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
        files = shorten(finding.files[:2], finding.files)
        warn(f"warning: {files}: {finding.message} (tools/doctor.py tells more)")


def survey_of(
    folder: str | Path, label_set: LabelSet, *, config: Config | None = None, quick: bool = False
) -> Survey:
    """Look at the files only; arguments and errors as of ``examine``."""
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(
            f"{folder}: there is no such folder; give the folder with train/ and val/",
            code="data_folder_missing",
        )
    return take_survey(folder, label_set, config=config, quick=quick)


def report_of(survey: Survey) -> Report:
    """What is to be said about the files."""
    sides = _summaries(survey)
    findings: list[Finding] = [finding for check in CHECKS for finding in check(survey)]
    # which labels occur is known when the ids are right only
    if not {finding.code for finding in findings} & {"ids_multiplied", "ids_off_by_one"}:
        findings.extend(check_labels(survey, sides[0]))
    return Report(
        folder=survey.folder,
        label_set=survey.label_set,
        findings=worst_first(findings),
        summary=tuple(sides),
        suggestions=suggest(survey, sides),
        quick=survey.quick,
    )


def _summaries(survey: Survey) -> list[PartSummary]:
    """Of train and of val."""
    summaries = []
    for side in PARTS:
        scenes = [scene for scene in survey.scenes if scene.side == side]
        read = [scene.label_map.counts for scene in scenes]
        summaries.append(
            summarize(
                side,
                sizes=[scene.photo.size for scene in scenes if not scene.photo.problem],
                counts=[counts for counts in read if counts is not None],
                num_labels=len(survey.label_set),
            )
        )
    return summaries
