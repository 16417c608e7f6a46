"""Exponential moving average of a network's weights (Polyak averaging)."""

from __future__ import annotations

import paddle
from paddle import nn

from spade_paddle.engine.schedule import averaging_halflife
from spade_paddle.layers.spectral import effective_state


class WeightAverage:
    """Maintains ``average = beta * average + (1 - beta) * weights`` in a second network.

    ``beta = 0.5 ** (images / halflife_images)`` depends on images instead of steps, so that the
    average does not depend on the batch size. Buffers (running statistics of batch norm) are
    averaged, too, to match the weights. Spectrally normalized weights are averaged after
    normalization.

    Args:
        network: the network that is trained.
        average: a network of the same structure but without spectral normalization; overwritten
            with the state of the first.
        halflife_images: half-life in images; 0: no averaging, and ``catch_up`` copies the current
            weights.
        halflife_share: half-life as a fraction of the images seen, limited to ``halflife_images``;
            0: always ``halflife_images``.
    """

    def __init__(
        self,
        network: nn.Layer,
        average: nn.Layer,
        *,
        halflife_images: int,
        halflife_share: float = 0.0,
    ) -> None:
        self.network = network
        self.average = average
        self.halflife_images = halflife_images
        self.halflife_share = halflife_share
        self._copy()
        average.eval()

    @paddle.no_grad()
    def update(self, images: int, *, images_seen: int = 0) -> None:
        """Update the average after a step.

        Args:
            images: number of images in the step.
            images_seen: images seen in the run, including the step.
        """
        if self.halflife_images == 0:
            return
        halflife = averaging_halflife(
            images_seen, share=self.halflife_share, maximum=self.halflife_images
        )
        beta = 0.5 ** (images / halflife) if halflife else 0.0
        newest = effective_state(self.network)
        for name, value in self.average.state_dict().items():
            value.set_value(value * beta + newest[name] * (1 - beta))

    def catch_up(self) -> None:
        """Without averaging, copy the current weights; call it before using the average."""
        if self.halflife_images == 0:
            self._copy()

    @paddle.no_grad()
    def _copy(self) -> None:
        self.average.set_state_dict(effective_state(self.network))
