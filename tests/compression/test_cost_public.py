"""The public CAT teacher for Cityscapes, and students of the public budgets."""

from __future__ import annotations

import numpy as np
import paddle
import pytest

from spade_paddle.compression.channels import tensor_axes
from spade_paddle.compression.clipping import prune_to_budget, student_config
from spade_paddle.compression.cost import bytes_cost, macs_cost
from spade_paddle.compression.groups import widths_of
from spade_paddle.compression.scores import thresholded_groups
from spade_paddle.config import read_config
from spade_paddle.networks.build import build_generator

HEIGHT, WIDTH = 256, 512
NUM_LABELS = 35  # and don't care, and edges
TEACHER = read_config(
    {
        "generator": {
            "block": "inception",
            "ngf": 64,
            "upsampling": "more",
            "activation": "leaky_relu",
            "spectral_norm": False,
            "simam": False,
            "param_free_norm": "sync_batch",
        },
        "data": {"instance_edges": True},
    }
)
MACS = macs_cost(TEACHER, num_labels=NUM_LABELS, height=HEIGHT, width=WIDTH)


def test_the_teacher_costs_what_its_layers_cost_by_hand():
    # inside: a sixth of the channels that come in or go out, whichever are fewer, in each of six
    # branches; its kernels: 1, 9 and 25 places plain, and the same depthwise between 1x1
    def branches(into, out, inside):
        plain = sum(k * k * inside * (into + out) for k in (1, 3, 5))
        return plain + sum(inside * (into + k * k + out) for k in (1, 3, 5))

    channels, total, macs = 37, 0, 0
    pixels = HEIGHT * WIDTH // 64**2
    macs += pixels * 9 * channels * 1024
    outs = (1024, 1024, 1024, 512, 256, 128, 64)
    for into, out, doubles in zip((1024, *outs), outs, (0, 1, 1, 1, 1, 1, 1)):
        pixels *= 4**doubles
        total = branches(into, out, min(into, out) // 6) + branches(channels, 2 * into, 128 // 6)
        macs += pixels * (total + into * out * (into != out))
    macs += pixels * 9 * 64 * 3
    assert pixels == HEIGHT * WIDTH
    assert MACS.of(widths_of(TEACHER)) == macs


def random_scales():
    """Scores alone: those of the norms, uniform from 0 to 1, and no other weight's."""
    table = tensor_axes(TEACHER, num_labels=NUM_LABELS, widths=widths_of(TEACHER))
    random = np.random.default_rng(0)
    return {
        name: random.uniform(size=tensor.shape)
        if len(tensor.shape) == 1
        else np.broadcast_to(random.uniform(size=tensor.shape[:2] + (1,) * 2), tensor.shape)
        for name, tensor in table.items()
    }


@pytest.mark.parametrize("budget", [5.6e9, 30e9])
def test_a_student_of_a_public_budget_paints_a_picture(budget):
    found = prune_to_budget(budget, random_scales(), TEACHER, num_labels=NUM_LABELS, cost=MACS)
    assert 0.98 * budget < found.cost <= budget
    coarse = found.widths.coarse
    assert coarse % 16 == 0
    assert coarse >= 256
    assert [block.out for block in found.widths.blocks] == [
        *(coarse, coarse, coarse, coarse // 2, coarse // 4, coarse // 8, coarse // 16)
    ]
    student = student_config(TEACHER, found.widths)
    generator = build_generator(student, num_labels=NUM_LABELS)
    numbers = sum(value.size for value in generator.state_dict().values())
    assert bytes_cost(TEACHER, num_labels=NUM_LABELS).of(found.widths) == 4 * numbers
    assert set(found.kept) >= set(thresholded_groups(TEACHER))
    generator.eval()
    segmap = np.zeros([1, 37, HEIGHT, WIDTH], dtype="float32")
    segmap[:, 3, :128], segmap[:, 7, 128:] = 1, 1
    with paddle.no_grad():
        painted = generator(paddle.to_tensor(segmap))
    assert painted.shape == [1, 3, HEIGHT, WIDTH]
    assert bool(paddle.isfinite(painted).all())
