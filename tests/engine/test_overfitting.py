"""Whether the discriminator knows its photos by heart: Karras et al. 2020, equation 1."""

from __future__ import annotations

import paddle
import pytest
from paddle import nn

from spade_paddle.engine.steps import Networks, StepInput
from spade_paddle.engine.validation import overfitting


class Brightness(nn.Layer):
    """A discriminator that takes a photo's mean for how real it is; two scales, and a head."""

    def forward(self, pictures):
        mean = pictures[:, 2:].mean(axis=[1, 2, 3], keepdim=True)
        return {"patch": [[pictures, mean], [pictures, 3 * mean]], "projected": [[-mean]]}


class Gray(nn.Layer):
    """A generator of black pictures."""

    def forward(self, segmap, noise, *, style=None, positions=None):
        assert not self.training  # running statistics, not those of one picture
        return paddle.full([1, 3, 4, 4], -1.0)


def scene(mean: float) -> StepInput:
    return StepInput(segmap=paddle.ones([1, 2, 4, 4]), photo=paddle.full([1, 3, 4, 4], mean))


def networks() -> Networks:
    made = Networks(generator=Gray(), encoder=None, discriminator=Brightness())
    for layer in (made.generator, made.discriminator):
        layer.train()
    return made


@pytest.mark.parametrize(
    ("val", "expected"),
    [(0.5, 0.0), (-1.0, 1.0), (0.2, 0.2)],
    ids=["as real", "as false", "between"],
)
def test_known_answers(val, expected):
    # training photos score 2 * (0.4 + 0.6) / 2, generated pictures -2
    values = overfitting(networks(), [scene(0.4), scene(0.6)], [scene(val), scene(val)])
    assert set(values) == {"overfitting", "overfitting_projected"}
    for value in values.values():
        assert value == pytest.approx(expected, abs=1e-6)


def test_nothing_is_said_where_generated_pictures_are_as_real_as_photos():
    assert overfitting(networks(), [scene(-1.0)], [scene(0.0)]) == {}


def test_modes_are_set_back():
    made = networks()
    overfitting(made, [scene(0.4)], [scene(0.2)])
    assert made.generator.training
    assert made.discriminator.training
