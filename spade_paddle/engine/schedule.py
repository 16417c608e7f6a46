"""Learning-rate schedule, counted in images."""

from __future__ import annotations


def linear_decay(images_seen: int, *, start: int | None, end: int, floor: float = 0.01) -> float:
    """The factor of the learning rate: 1 before ``start``, then linearly down to ``floor``.

    Args:
        images_seen: progress.
        start: where the decay begins; None: never.
        end: where it reaches ``floor``; it stays there.
    """
    if start is None or images_seen <= start:
        return 1.0
    if images_seen >= end:
        return floor
    return 1.0 - (1.0 - floor) * (images_seen - start) / (end - start)
