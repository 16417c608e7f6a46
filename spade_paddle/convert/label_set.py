"""A label set for weights that come without one."""

from __future__ import annotations

import colorsys

from spade_paddle.data.labels import Label, LabelSet

GOLDEN_RATIO = 0.618033988749895
_BRIGHTNESS = (0.95, 0.7, 0.45)


def numbered_label_set(name: str, count: int) -> LabelSet:
    """Create ``label 0``, ``label 1``, ... with fixed, distinct colors.

    Raises:
        ConfigError: count is not 1..255.
    """
    labels = tuple(
        Label(id=i, name_en=f"label {i}", name_zh=f"标签 {i}", color=_color(i))
        for i in range(count)
    )
    return LabelSet(name=name, labels=labels)


def _color(index: int) -> tuple[int, int, int]:
    """Return a color; hues in steps of the golden ratio are far from all earlier ones."""
    hue = index * GOLDEN_RATIO % 1.0
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.65, _BRIGHTNESS[index % len(_BRIGHTNESS)])
    return round(red * 255), round(green * 255), round(blue * 255)
