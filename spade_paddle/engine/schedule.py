"""What changes over the course of a run: pure functions of the number of images seen."""

from __future__ import annotations


def linear_decay(images_seen: int, *, start: int | None, end: int, floor: float = 0.01) -> float:
    """The factor of the learning rate: 1 before ``start``, then linearly down to ``floor``.

    Args:
        start: where the decay begins; None: never.
        end: where it reaches ``floor``; it stays there.
    """
    if start is None or images_seen <= start:
        return 1.0
    if images_seen >= end:
        return floor
    return 1.0 - (1.0 - floor) * (images_seen - start) / (end - start)


def fade_in(images_seen: int, *, over: int) -> float:
    """How far a new block has come in: from 0 linearly to 1 after ``over`` images; 0: at once."""
    return min(1.0, images_seen / over) if over else 1.0


def averaging_halflife(images_seen: int, *, share: float, most: int) -> float:
    """The half-life of the averaged weights, in images.

    A constant one is too long for a run's beginning, where the average lags behind, or too short
    for its end, where it hardly averages. One that grows with the run is as good for a short run
    as for a long one.

    Args:
        share: of the images seen so far; 0: ``most`` from the beginning.
        most: it grows no further.
    """
    return min(share * images_seen, most) if share else most


def passed(every: int, before: int, now: int) -> bool:
    """Whether a multiple of ``every`` lies in (before, now]."""
    return now // every > before // every
