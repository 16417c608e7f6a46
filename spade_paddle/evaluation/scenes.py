"""The scenes on which models are compared, and the other photos that define the floor."""

from __future__ import annotations

from pathlib import Path

from spade_paddle.data.dataset import PARTS, Pair, find_pairs
from spade_paddle.data.split import half_of
from spade_paddle.errors import DataError

LEAST_SCENES = 2  # a covariance needs two
ALL = "all"


def scenes_of(
    data: Path, part: str, *, half: str, val_share: float
) -> tuple[list[Pair], list[Pair]]:
    """List the scenes of one half of a part, and as many of the other part, evenly spaced.

    Args:
        data: the data set.
        part: ``train`` or ``val``.
        half: ``choose`` or ``report`` (data/split.py), or ``all`` for both.
        val_share: validation share of a flat data set, 0..1.

    Returns:
        Both lists; the second is empty if the data set has no other part.

    Raises:
        DataError: ``data`` is not a data set, a photo or a label map is missing, or there are too
            few scenes.
    """
    whole = find_pairs(data, part, val_share=val_share)
    pairs = [pair for pair in whole if half == ALL or half_of(pair.stem) == half]
    if len(pairs) < LEAST_SCENES:
        where, hint = f"the part {part} has {len(whole)}", ""
        if half != ALL:
            where = f"of the {len(whole)} of the part {part} the half to {half} has {len(pairs)}"
            hint = f" (--half {ALL} takes both halves)"
        raise DataError(
            f"{data}: too few scenes: {where}; sets of pictures need at least {LEAST_SCENES}, and "
            f"about 30 for meaningful intervals{hint}",
            code="scenes_too_few",
        )
    other = next(name for name in PARTS if name != part)
    try:
        others = find_pairs(data, other, val_share=val_share)
    except DataError as error:
        if error.code not in ("data_folder_missing", "data_folder_empty"):
            raise
        others = []
    count = min(len(pairs), len(others))
    return pairs, [others[index * len(others) // count] for index in range(count)]
