"""A report as text for people."""

from __future__ import annotations

from spade_paddle.data.labels import DONT_CARE
from spade_paddle.doctor.findings import ADVICE, ERROR, WARNING, Finding, Report, shorten
from spade_paddle.doctor.summary import PartSummary

_SHOWN_FILES = 4


def report_text(report: Report) -> str:
    """Sizes, findings, labels and suggestions, a paragraph each."""
    paragraphs = [_head(report), *(_finding(finding) for finding in report.findings)]
    if any(part.maps_read for part in report.summary):
        paragraphs.append(_labels(report))
    if report.suggestions:
        lines = "\n".join(f"  {line}" for line in report.suggestions)
        paragraphs.append(f"Lines for the configuration that fit:\n{lines}")
    paragraphs.append(verdict(report))
    return "\n\n".join(paragraphs)


def verdict(report: Report) -> str:
    """One sentence: will training work?"""
    errors, warnings, advice = (len(report.of(kind)) for kind in (ERROR, WARNING, ADVICE))
    if not report.findings:
        return f"{report.folder}: nothing is wrong."
    counts = f"kinds of errors: {errors}, of warnings: {warnings}, of advice: {advice}"
    end = "training would fail." if report.failed else "it can be trained with."
    return f"{report.folder}: {counts}; {end}"


def _head(report: Report) -> str:
    labels = f"label set '{report.label_set.name}' of {len(report.label_set)} labels"
    return "\n".join([f"{report.folder}, {labels}", *(_part(part) for part in report.summary)])


def _part(part: PartSummary) -> str:
    if not part.scenes:
        return f"  {part.name}: no scenes"
    sizes = [f"{width}x{height}" for width, height in (part.smallest, part.middle, part.largest)]
    return (
        f"  {part.name}: {part.scenes} scenes; photos from {sizes[0]} to {sizes[2]}, "
        f"typically {sizes[1]} pixels"
    )


def _finding(finding: Finding) -> str:
    lines = [f"{finding.severity.upper():8} {finding.code}", f"  {finding.message}."]
    if finding.files:
        count = f"{len(finding.files)} files: " if len(finding.files) > 1 else ""
        lines.append(f"  {count}{shorten(finding.files[:_SHOWN_FILES], finding.files)}")
    return "\n".join([*lines, f"  What to do: {finding.hint}."])


def _labels(report: Report) -> str:
    """How much of the pictures each label covers, and in how many it is."""
    names = [f"{label.id:3} {label.name_en}" for label in report.label_set.labels]
    names.append(f"{DONT_CARE:3} don't care")
    width = max(len(name) for name in names)
    head = " " * width + "".join(f"{part.name:>10} %   maps" for part in report.summary)
    rows = [
        f"{name:{width}}"
        + "".join(f"{part.shares[i]:12.1%} {part.maps[i]:6}" for part in report.summary)
        for i, name in enumerate(names)
    ]
    return "\n".join([head, *rows])
