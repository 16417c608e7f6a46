"""Assigns scenes by their names to training or validation, and to a half of validation."""

from __future__ import annotations

import hashlib
import unicodedata

HALVES = ("choose", "report")


def split_of(stem: str, *, val_share: float) -> str:
    """``val`` for about ``val_share`` of all file stems, else ``train``.

    It depends on the SHA-256 of the stem alone: it is the same on every machine and whatever other
    photos there are, and a larger share only moves photos from ``train`` to ``val``.

    Photos of the same scene (``lake_crop1`` and ``lake_crop2``, ``lake`` and ``lake_flipped``) may
    get into different splits, which makes the results on ``val`` too optimistic: sort such photos
    into train/ and val/ yourself.

    Args:
        stem: file name without its extension, or another name of a scene.
        val_share: 0 (nothing is ``val``) to 1.
    """
    return "val" if _fraction(stem, first_byte=0) < val_share else "train"


def half_of(stem: str) -> str:
    """``choose`` or ``report``: the half of the validation scenes that a scene belongs to.

    Recipes, checkpoints and styles are chosen on one half and scored on the other, because the best
    of many on some scenes has too good a score there. It depends on the hash of the stem alone, in
    other bytes than ``split_of``, so scenes keep their half when others are added.
    """
    return "choose" if _fraction(stem, first_byte=8) < 0.5 else "report"


def _fraction(stem: str, *, first_byte: int) -> float:
    """8 bytes of the hash of a stem as a number in 0..1."""
    # macOS decomposes letters with accents into two characters
    text = unicodedata.normalize("NFC", stem).encode("utf-8", "surrogateescape")
    digest = hashlib.sha256(text).digest()
    return int.from_bytes(digest[first_byte : first_byte + 8], "big") / 2**64
