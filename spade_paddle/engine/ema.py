"""Exponential moving average of a network's weights (Polyak averaging)."""

from __future__ import annotations

import paddle
from paddle import nn

from spade_paddle.engine.schedule import averaging_halflife
from spade_paddle.layers.spectral import effective_state


class WeightAverage:
    """Keeps ``average = beta * average + (1 - beta) * weights`` in a network of the same kind.

    Progress is counted in images: ``beta = 0.5 ** (images / halflife_images)``, so that the batch
    size does not change the average. Buffers (the running statistics of batch norm) are averaged
    too: they belong to the weights of the same time. Spectrally normalized weights are averaged
    as they are applied.

    Args:
        network: the network that is trained.
        average: a second one of the same structure but without spectral normalization;
            overwritten with the first's state.
        halflife_images: after so many images an old state counts half; 0: there is no average, and
            ``catch_up`` copies the newest.
        halflife_share: if given, after this share of the images seen so far, if those are fewer.
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
        """Take in the weights after a step of so many images.

        Args:
            images: of the step.
            images_seen: of the run, those of the step included.
        """
        if self.halflife_images == 0:
            return
        halflife = averaging_halflife(
            images_seen, share=self.halflife_share, most=self.halflife_images
        )
        beta = 0.5 ** (images / halflife) if halflife else 0.0
        newest = effective_state(self.network)
        for name, value in self.average.state_dict().items():
            value.set_value(value * beta + newest[name] * (1 - beta))

    def catch_up(self) -> None:
        """Before the average is looked at: without a half-life it becomes the newest weights."""
        if self.halflife_images == 0:
            self._copy()

    @paddle.no_grad()
    def _copy(self) -> None:
        self.average.set_state_dict(effective_state(self.network))
