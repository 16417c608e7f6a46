"""The doctor's report: as JSON, as text, and as an error."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spade_paddle.data.labels import DONT_CARE, LabelSet
from spade_paddle.doctor.findings import ADVICE, ERROR, WARNING, Finding, shorten
from spade_paddle.doctor.summary import PartSummary
from spade_paddle.errors import DataError

_SHOWN_FILES = 4


@dataclass(frozen=True)
class DatasetReport:
    """The result of examining ``folder``; ``findings`` are sorted by severity."""

    folder: Path
    label_set: LabelSet
    findings: tuple[Finding, ...]
    summary: tuple[PartSummary, ...]
    suggestions: tuple[str, ...]  # lines of a configuration file
    quick: bool = False

    @property
    def failed(self) -> bool:
        """Whether training would fail."""
        return bool(self.of(ERROR))

    def of(self, severity: str) -> list[Finding]:
        """The findings of one severity."""
        return [finding for finding in self.findings if finding.severity == severity]

    def stop_at_errors(self) -> None:
        """Raise the worst error, if there is one, as a DataError with the same code."""
        for finding in self.of(ERROR)[:1]:
            where = shorten([f"{self.folder}/{name}" for name in finding.files], 1)
            raise DataError(
                f"{where or self.folder}: {finding.message}; {finding.hint} "
                f"(tools/doctor.py {self.folder} lists everything)",
                code=finding.code,
                files=list(finding.files),
            )

    def to_dict(self) -> dict[str, Any]:
        """The JSON-serializable form."""
        return {
            "folder": str(self.folder),
            "labels": {"name": self.label_set.name, "count": len(self.label_set)},
            "quick": self.quick,
            "failed": self.failed,
            "findings": [finding.to_dict() for finding in self.findings],
            "summary": [part.to_dict(self.label_set) for part in self.summary],
            "suggestions": list(self.suggestions),
        }

    def text(self) -> str:
        """The report for people: sizes, findings, labels and suggestions."""
        labels = f"label set '{self.label_set.name}' of {len(self.label_set)} labels"
        head = [f"{self.folder}, {labels}", *(_sizes(part) for part in self.summary)]
        paragraphs = ["\n".join(head), *(_finding_text(finding) for finding in self.findings)]
        if any(part.maps_read for part in self.summary):
            paragraphs.append(self._labels())
        if self.suggestions:
            lines = "\n".join(f"  {line}" for line in self.suggestions)
            paragraphs.append(f"Suggested lines for the configuration:\n{lines}")
        return "\n\n".join([*paragraphs, self.verdict()])

    def verdict(self) -> str:
        """One sentence on whether training is possible."""
        if not self.findings:
            return f"{self.folder}: no problems found."
        errors, warnings, advice = (len(self.of(kind)) for kind in (ERROR, WARNING, ADVICE))
        counts = f"{errors} kinds of errors, {warnings} of warnings, {advice} of advice"
        end = "training would fail." if self.failed else "training is possible."
        return f"{self.folder}: {counts}; {end}"

    def _labels(self) -> str:
        """A table of the share of pixels and the number of maps of each label."""
        names = [f"{label.id:3} {label.name_en}" for label in self.label_set.labels]
        names.append(f"{DONT_CARE:3} don't care")
        width = max(len(name) for name in names)
        rows = [" " * width + "".join(f"{part.name:>10} %   maps" for part in self.summary)]
        for index, name in enumerate(names):
            cells = [f"{part.shares[index]:12.1%} {part.maps[index]:6}" for part in self.summary]
            rows.append(f"{name:{width}}" + "".join(cells))
        return "\n".join(rows)


def _sizes(part: PartSummary) -> str:
    if not part.scenes:
        return f"  {part.name}: no scenes"
    return "  {}: {} scenes; photos from {}x{} to {}x{}, typically {}x{} pixels".format(
        part.name, part.scenes, *part.smallest, *part.largest, *part.middle
    )


def _finding_text(finding: Finding) -> str:
    lines = [f"{finding.severity.upper():8} {finding.code}", f"  {finding.message}."]
    if finding.files:
        count = f"{len(finding.files)} files: " if len(finding.files) > 1 else ""
        lines.append(f"  {count}{shorten(finding.files, _SHOWN_FILES)}")
    return "\n".join([*lines, f"  What to do: {finding.hint}."])
