"""The styles of a model: by name, from its gallery, or of a photo.

Legend: H height, W width, D length of a style vector.
"""

from __future__ import annotations

import numpy as np

from spade_paddle.data.batches import to_network
from spade_paddle.data.noise import style_noise
from spade_paddle.data.photos import shrink
from spade_paddle.errors import LabelMapError
from spade_paddle.inference.gallery import Gallery
from spade_paddle.inference.program import Program
from spade_paddle.model_card import ModelCard


class ModelStyles:
    """Finds the style vector of whatever is given as a style.

    Args:
        card: the model's metadata.
        encoder: the style encoder; None: photos have no style.
        gallery: styles to choose from; None: there are only those with a name.

    Attributes: ``named`` (``float32`` [D] by name), ``gallery``, ``has_encoder``.
    """

    def __init__(
        self, card: ModelCard, *, encoder: Program | None, gallery: Gallery | None
    ) -> None:
        self.named = {style["name"]: np.array(style["vector"], np.float32) for style in card.styles}
        self.gallery = gallery
        self.has_encoder = encoder is not None
        self._card = card
        self._encoder = encoder

    @property
    def are_drawn(self) -> bool:
        """Whether ``chosen`` depends on the seed."""
        return bool(self._card.style_dim and (self.gallery is not None or len(self.named) != 1))

    def of_photo(self, photo: np.ndarray) -> np.ndarray:
        """See ``Painter.style_of``."""
        if self._encoder is None:
            raise self.error()
        if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
            raise LabelMapError(
                "style: expected a photo, uint8 height x width x 3, got "
                f"{photo.dtype} {tuple(photo.shape)}",
                code="style_shape",
            )
        # the encoder resizes bilinearly, which would alias large photos
        photo = shrink(photo, min(self._card.height, self._card.width))
        return self._encoder.run({"photo": to_network(photo[None])})[0]

    def chosen(self, label_map: np.ndarray, *, seed: int | None = None) -> np.ndarray:
        """See ``Painter.chosen_style``."""
        if self.gallery is not None:
            return self.gallery.style_for(label_map, seed=seed)
        if self.named:
            index = 0 if seed is None else np.random.default_rng(seed).integers(len(self.named))
            return list(self.named.values())[index]
        if seed is None:
            return np.zeros(self._card.style_dim, np.float32)
        return style_noise(seed, style_dim=self._card.style_dim)

    def vector(
        self, style: np.ndarray | str | None, label_map: np.ndarray, *, seed: int | None
    ) -> np.ndarray:
        """The vector, ``float32`` [D], of a style as given to ``Painter.paint``.

        Raises:
            LabelMapError: there is no such style.
        """
        if style is None:
            return self.chosen(label_map, seed=seed)
        if isinstance(style, str):
            if style not in self.named:
                raise LabelMapError(
                    f"style: the model '{self._card.name}' has no style '{style}'; it has "
                    f"{', '.join(self.named) or 'no named styles'}",
                    code="style_unknown",
                )
            return self.named[style]
        style = np.asarray(style)
        if style.ndim == 3:
            return self.of_photo(style)
        if style.shape != (self._card.style_dim,) or not np.isfinite(style).all():
            raise LabelMapError(
                f"style: expected a photo or {self._card.style_dim} finite numbers, got "
                f"{style.dtype} {tuple(style.shape)}",
                code="style_shape",
            )
        return style.astype(np.float32)

    def error(self) -> LabelMapError:
        """The error about a style that the model cannot use."""
        lacks, advice = "style input", "leave the style out"
        if self._card.style_dim:
            advice = f"give {self._card.style_dim} numbers instead of a photo"
            lacks = "style encoder"
        return LabelMapError(
            f"style: the model '{self._card.name}' has no {lacks}; {advice}",
            code="no_styles",
        )
