"""Which photos of a flat data set are for training and which for looking at the results."""

from __future__ import annotations

import hashlib
import unicodedata


def side_of(stem: str, *, val_share: float) -> str:
    """``val`` for about ``val_share`` of all file stems, else ``train``.

    It depends on the stem alone, by its SHA-256: it is the same on every machine, whatever other
    photos there are, and with a larger share photos only move from ``train`` to ``val``.

    Stems are taken as they are. Photos that are one scene (``lake_crop1`` and ``lake_crop2``,
    ``lake`` and ``lake_flipped``) may fall to different sides, and then the looks of ``val`` are
    too good: put such photos into train/ and val/ yourself.

    Args:
        stem: file name without its ending.
        val_share: 0 (nothing is ``val``) to 1.
    """
    # macOS writes letters with accents in two characters, other systems in one
    text = unicodedata.normalize("NFC", stem).encode("utf-8", "surrogateescape")
    place = int.from_bytes(hashlib.sha256(text).digest()[:8], "big") / 2**64
    return "val" if place < val_share else "train"
