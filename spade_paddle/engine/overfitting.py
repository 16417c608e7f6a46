"""Whether the discriminator has learned the training photos by heart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import paddle

from spade_paddle.config import Config
from spade_paddle.data.batches import SceneCache
from spade_paddle.data.split import half_of
from spade_paddle.data.transforms import middle_view
from spade_paddle.engine.samples import evaluating, scene_input
from spade_paddle.engine.steps import Networks, StepInput, judged, paint

SCENES = 16
"""So many of each part are looked at, evenly spread over it."""


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


def measure_overfitting(
    networks: Networks, *, train: SceneCache, val: SceneCache, config: Config, num_labels: int
) -> dict[str, float]:
    """``overfitting`` on scenes of both parts, the same every time.

    Args:
        networks: of the run.
        train: the scenes to learn from.
        val: those to look at; the half to choose by (data/split.py) is taken.
        config: of the run.
        num_labels: labels of the label set.

    Raises:
        DataError, LabelMapError: a scene cannot be read.
    """
    halves = [half_of(pair.stem) for pair in val.pairs]
    mine = [index for index, half in enumerate(halves) if half == "choose"] or [0]

    def inputs(scenes: SceneCache, indices: Sequence[int]) -> list[StepInput]:
        """Of so many scenes, evenly spread over these indices."""
        count = min(SCENES, len(indices))
        spread = [indices[k * len(indices) // count] for k in range(count)]
        return [
            scene_input(
                middle_view(scenes[index], config.data, multiple=config.generator.multiple),
                seed=seed,
                noise_channels=networks.generator.noise_channels,
                config=config,
                num_labels=num_labels,
            )
            for seed, index in enumerate(spread)
        ]

    return overfitting(networks, inputs(train, range(len(train))), inputs(val, mine))


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
