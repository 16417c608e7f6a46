"""Which photos of a flat data set are for training and which for looking at the results; and which
of those are for choosing, which for reporting."""

from __future__ import annotations

import hashlib
import unicodedata

HALVES = ("choose", "report")


def split_of(stem: str, *, val_share: float) -> str:
    """``val`` for about ``val_share`` of all file stems, else ``train``.

    It depends on the stem alone, by its SHA-256: it is the same on every machine, whatever other
    photos there are, and with a larger share photos only move from ``train`` to ``val``.

    Stems are taken as they are. Photos that are one scene (``lake_crop1`` and ``lake_crop2``,
    ``lake`` and ``lake_flipped``) may fall to different sides, and then the looks of ``val`` are
    too good: put such photos into train/ and val/ yourself.

    Args:
        stem: file name without its ending, or another name of a scene.
        val_share: 0 (nothing is ``val``) to 1.
    """
    return "val" if _place(stem, first_byte=0) < val_share else "train"


def half_of(stem: str) -> str:
    """``choose`` or ``report``: what a scene for looking at the results is looked at for.

    A recipe, a checkpoint or a style is chosen on one half, and its score is told from the other:
    the best of many on the same scenes looks better there than it is. It depends on the stem alone,
    by other bytes of the hash than ``split_of``, so that scenes keep their half when others come.
    """
    return "choose" if _place(stem, first_byte=8) < 0.5 else "report"


def _place(stem: str, *, first_byte: int) -> float:
    """Where in 0..1 the hash of a stem lies, by 8 of its bytes."""
    # macOS writes letters with accents in two characters, other systems in one
    text = unicodedata.normalize("NFC", stem).encode("utf-8", "surrogateescape")
    digest = hashlib.sha256(text).digest()
    return int.from_bytes(digest[first_byte : first_byte + 8], "big") / 2**64
