"""The sizes of label maps that can be painted."""

from __future__ import annotations

from dataclasses import dataclass

from spade_paddle.errors import LabelMapError


@dataclass(frozen=True)
class SizeLimits:
    """Smallest side (``min_side``) and largest area (``max_pixels``) of a label map, in pixels."""

    min_side: int
    max_pixels: int

    def check(self, *, height: int, width: int, where: str = "label map") -> None:
        """Raise LabelMapError if a size is outside the limits; ``where`` names the map."""
        if min(height, width) < self.min_side:
            raise LabelMapError(
                f"{where}: the label map is {width} x {height}, each side must have at least "
                f"{self.min_side} pixels; send a larger map",
                code="label_map_too_small",
                width=width,
                height=height,
                min_side=self.min_side,
            )
        if height * width > self.max_pixels:
            raise LabelMapError(
                f"{where}: the label map is {width} x {height} = {width * height} pixels, at most "
                f"{self.max_pixels} are allowed; send a smaller map",
                code="label_map_too_large",
                width=width,
                height=height,
                max_pixels=self.max_pixels,
            )
