"""What changes over the course of a run: pure functions of the number of images seen."""

from __future__ import annotations


def linear_decay(images_seen: int, *, start: int | None, end: int, floor: float = 0.01) -> float:
    """Return the learning rate factor: 1 until ``start``, then decaying linearly to ``floor``.

    Args:
        images_seen: progress of the run.
        start: images seen when the decay starts; None: no decay.
        end: images seen when it reaches ``floor``, where it stays.
        floor: the final factor.
    """
    if start is None or images_seen <= start:
        return 1.0
    if images_seen >= end:
        return floor
    return 1.0 - (1.0 - floor) * (images_seen - start) / (end - start)


def fade_in(images_seen: int, *, over: int) -> float:
    """Return the fade-in weight of a new block: linear from 0 to 1 over ``over`` images; if that
    is 0, always 1."""
    return min(1.0, images_seen / over) if over else 1.0


def averaging_halflife(images_seen: int, *, share: float, maximum: int) -> float:
    """Return the half-life of the averaged weights, in images.

    A constant half-life is either too long at the start of a run, where the average lags behind,
    or too short at the end, where it hardly averages. Growing with the run avoids both.

    Args:
        images_seen: progress of the run.
        share: half-life as a fraction of the images seen; 0: always ``maximum``.
        maximum: upper limit, in images.
    """
    return min(share * images_seen, maximum) if share else maximum


def is_due(every: int, before: int, now: int) -> bool:
    """Whether a task to run every ``every`` images is due: a multiple lies in (before, now]."""
    return now // every > before // every
