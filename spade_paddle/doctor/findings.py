"""What the doctor says about a data set: findings, worst first, and the report of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spade_paddle.data.labels import LabelSet
from spade_paddle.doctor.summary import PartSummary
from spade_paddle.errors import DataError

ERROR = "error"  # training stops, or would
WARNING = "warning"  # training runs, and the result suffers
ADVICE = "advice"  # good to know

# every code, the worst first
SEVERITIES = {
    "data_folder_missing": ERROR,
    "data_folder_empty": ERROR,
    "split_one_sided": ERROR,
    "names_differ": ERROR,
    "stem_twice": ERROR,
    "photo_alone": ERROR,
    "label_map_alone": ERROR,
    "photo_ending": ERROR,
    "label_map_ending": ERROR,
    "instance_map_missing": ERROR,
    "photo_unreadable": ERROR,
    "label_map_unreadable": ERROR,
    "instance_map_unreadable": ERROR,
    "label_map_jpeg": ERROR,
    "label_map_colour": ERROR,
    "sizes_differ_exif": ERROR,
    "sizes_differ": ERROR,
    "ids_multiplied": ERROR,
    "ids_off_by_one": ERROR,
    "label_unknown": ERROR,
    "photos_leak": WARNING,
    "names_case": WARNING,
    "label_map_interpolated": WARNING,
    "label_map_palette": WARNING,
    "label_map_mask": WARNING,
    "label_maps_duplicate": WARNING,
    "photos_duplicate": WARNING,
    "dont_care_off": WARNING,
    "dont_care_whole": WARNING,
    "dont_care_much": WARNING,
    "instances_overflow": WARNING,
    "photo_small": WARNING,
    "photo_aspect": WARNING,
    "photo_rotated": ADVICE,
    "photo_mode": ADVICE,
    "label_map_mode": ADVICE,
    "labels_empty": ADVICE,
    "labels_rare": ADVICE,
    "instance_map_alone": ADVICE,
    "files_ignored": ADVICE,
}


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Args:
        code: stable name, a key of ``SEVERITIES``.
        message: what was expected and what came.
        files: the files concerned, POSIX paths relative to the data set's folder.
        hint: what to do.
    """

    code: str
    message: str
    files: tuple[str, ...] = ()
    hint: str = ""

    @property
    def severity(self) -> str:
        """``error``, ``warning`` or ``advice``."""
        return SEVERITIES[self.code]

    def to_dict(self) -> dict[str, Any]:
        """The JSON-serialisable form."""
        return {**dataclasses.asdict(self), "severity": self.severity}


@dataclass(frozen=True)
class Report:
    """Everything the doctor found in ``folder``; ``findings`` come worst first."""

    folder: Path
    label_set: LabelSet
    findings: tuple[Finding, ...]
    summary: tuple[PartSummary, ...]
    suggestions: tuple[str, ...]  # lines of a configuration file
    quick: bool = False

    @property
    def failed(self) -> bool:
        """Training would fail."""
        return any(finding.severity == ERROR for finding in self.findings)

    def of(self, severity: str) -> list[Finding]:
        """The findings of one severity."""
        return [finding for finding in self.findings if finding.severity == severity]

    def stop_at_errors(self) -> None:
        """Raise the worst error, if there is one, as a DataError of the same code."""
        for finding in self.of(ERROR)[:1]:
            where = shorten([f"{self.folder}/{name}" for name in finding.files[:1]], finding.files)
            raise DataError(
                f"{where or self.folder}: {finding.message}; {finding.hint} "
                f"(tools/doctor.py {self.folder} tells everything)",
                code=finding.code,
                files=list(finding.files),
            )

    def to_dict(self) -> dict[str, Any]:
        """The JSON-serialisable form."""
        return {
            "folder": str(self.folder),
            "labels": {"name": self.label_set.name, "count": len(self.label_set)},
            "quick": self.quick,
            "failed": self.failed,
            "findings": [finding.to_dict() for finding in self.findings],
            "summary": [part.to_dict(self.label_set) for part in self.summary],
            "suggestions": list(self.suggestions),
        }


def worst_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings in the order of ``SEVERITIES``."""
    order = list(SEVERITIES)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.code)))


def shorten(shown: Sequence[str], everything: Sequence[object]) -> str:
    """The first few of many in words: ``a, b and 7 more``."""
    text = ", ".join(shown)
    more = len(everything) - len(shown)
    return f"{text} and {more} more" if more > 0 else text
