"""Cross-validation by groups of photos: data sets whose validation part has groups of its own.

Photos of one photographer or collection look alike. A score on photos from elsewhere needs a split
in which no group is in both parts.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from spade_paddle.data.dataset import PARTS, Pair, dataset_parts, find_pairs
from spade_paddle.data.labels import LABELS_FILE
from spade_paddle.errors import DataError


def read_groups(path: Path, *, file_column: str, group_column: str) -> dict[str, str]:
    """Read a CSV table with a header: file stem of each photo -> its group.

    Args:
        path: the table; further columns and rows of other files are allowed.
        file_column: the column with file names; folders and extensions are ignored.
        group_column: the column with the groups.

    Raises:
        DataError: the file cannot be read, a column is missing, or two rows with one stem have
            different groups.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path}: cannot be read as a CSV table ({error}); give a UTF-8 file",
            code="groups_unreadable",
        ) from error
    for column in (file_column, group_column):
        if not rows or column not in rows[0]:
            known = ", ".join(rows[0]) if rows else "none"
            raise DataError(
                f"{path}: there is no column '{column}'; its columns are: {known}",
                code="groups_columns",
            )
    groups: dict[str, str] = {}
    for row in rows:
        stem, group = Path(row[file_column] or "").stem, row[group_column] or ""
        if groups.setdefault(stem, group) != group:
            raise DataError(
                f"{path}: {stem} is in the groups '{groups[stem]}' and '{group}'; give every photo "
                "a name of its own, and one group",
                code="groups_twice",
            )
    return groups


def assign_folds(sizes: Mapping[str, int], *, count: int) -> dict[str, int]:
    """Distribute groups among folds of similar size: the largest first, each to the smallest fold.

    Args:
        sizes: number of photos of each group.
        count: number of folds.

    Returns:
        the fold of each group, 0 to count - 1; it depends on the sizes and names only.

    Raises:
        DataError: there are fewer groups than folds.
    """
    if len(sizes) < count:
        raise DataError(
            f"expected at least {count} groups of photos for {count} folds, got {len(sizes)}; use "
            "fewer folds",
            code="groups_few",
        )
    totals = [0] * count
    folds = {}
    for group in sorted(sizes, key=lambda name: (-sizes[name], name)):
        folds[group] = totals.index(min(totals))
        totals[folds[group]] += sizes[group]
    return folds


def write_fold(
    data: Path, out: Path, *, groups: Mapping[str, str], fold: int, count: int
) -> dict[str, int]:
    """Write a data set whose val/ holds the scenes of one fold and whose train/ holds the others.

    The scenes of both parts of ``data`` are distributed anew. Files are hard links where the file
    system allows it, else copies.

    Args:
        data: the data set; it is not changed.
        out: folder to create.
        groups: group of each photo by file stem (``read_groups``).
        fold: the fold, 0 to count - 1.
        count: number of folds.

    Returns:
        number of scenes in each part.

    Raises:
        DataError: ``out`` exists, a photo has no group, or two scenes have the same stem.
    """
    if out.exists():
        raise DataError(
            f"{out}: this folder exists already; remove it or give another", code="out_exists"
        )
    pairs = [pair for part in dataset_parts(data) for pair in find_pairs(data, part)]
    _check_stems(pairs, groups)
    folds = assign_folds(Counter(groups[pair.stem] for pair in pairs), count=count)
    written: Counter[str] = Counter()
    unfinished = out.with_name(f"{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for pair in pairs:
        part = "val" if folds[groups[pair.stem]] == fold else "train"
        for file in pair.files:
            _link(file, unfinished / part / file.parent.name / file.name)
        written[part] += 1
    if (data / LABELS_FILE).is_file():
        _link(data / LABELS_FILE, unfinished / LABELS_FILE)
    unfinished.rename(out)
    return {part: written[part] for part in PARTS}


def _check_stems(pairs: list[Pair], groups: Mapping[str, str]) -> None:
    twice = [stem for stem, number in Counter(pair.stem for pair in pairs).items() if number > 1]
    if twice:
        raise DataError(
            f"the names {', '.join(sorted(twice)[:6])} occur in train/ and in val/; rename one",
            code="stem_twice",
        )
    alone = sorted(pair.stem for pair in pairs if pair.stem not in groups)
    if alone:
        raise DataError(
            f"{len(alone)} photos have no row in the table of groups: {', '.join(alone[:6])}"
            f"{' ...' if len(alone) > 6 else ''}; add them",
            code="groups_missing",
        )


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)
