"""Whether the discriminator has learned the training photos by heart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import paddle

from spade_paddle.engine.samples import evaluating
from spade_paddle.engine.steps import Networks, StepInput, judged, paint


@paddle.no_grad()
def overfitting(
    networks: Networks, train: Sequence[StepInput], val: Sequence[StepInput]
) -> dict[str, float]:
    """``(E[D(train)] - E[D(val)]) / (E[D(train)] - E[D(generated)])`` by the discriminator's kind.

    Karras et al. 2020 (ADA), equation 1: 0 where validation photos are as real to it as those it
    has trained on, 1 where they are as false to it as generated pictures: then augmentation should
    be stronger. Means over scenes, places, and scales or heads; without augmentation; the
    generator paints the training scenes.

    Args:
        networks: with a discriminator; in evaluation mode while they are asked.
        train: training scenes, one each.
        val: validation scenes.

    Returns:
        ``overfitting`` for the patch scales and ``overfitting_projected`` for the heads, as far as
        there are; nothing where generated pictures are as real to it as training photos.
    """
    with evaluating(networks.generator, networks.encoder, networks.discriminator):
        on_train = _scores(networks, [(scene, scene.photo) for scene in train])
        on_val = _scores(networks, [(scene, scene.photo) for scene in val])
        on_fake = _scores(networks, [(scene, paint(networks, scene)[0]) for scene in train])
    values = {}
    for kind, real in on_train.items():
        name = "overfitting" if kind == "patch" else f"overfitting_{kind}"
        if real != on_fake[kind]:
            values[name] = (real - on_val[kind]) / (real - on_fake[kind])
    return values


def _scores(
    networks: Networks, shown: Sequence[tuple[StepInput, paddle.Tensor]]
) -> dict[str, float]:
    """Mean logits by kind of discriminator."""
    means: dict[str, list[float]] = {}
    for scene, photo in shown:
        for kind, prediction in judged(networks, scene, photo).items():
            logits = [float(stages[-1].mean()) for stages in prediction]
            means.setdefault(kind, []).append(float(np.mean(logits)))
    return {kind: float(np.mean(values)) for kind, values in means.items()}
