"""Training with projected heads: in a step, in a run, and in one that begins with another."""

from __future__ import annotations

import dataclasses

import numpy as np
import paddle
import pytest

from spade_paddle.engine.resuming import PROJECTION_PICTURES, initialize_from, measure_projection
from spade_paddle.engine.steps import discriminate, discriminator_losses
from spade_paddle.errors import ConfigError, ModelError
from spade_paddle.losses.gan import combined_generator_loss, discriminator_loss, generator_loss
from spade_paddle.networks.cost import count_parameters
from tests.engine.conftest import assert_same_state
from tests.engine.small_runs import Run, assert_carried, build, grow, tiny
from tests.engine.test_dry_run import dry_run
from tests.engine.test_learner import config, copy, learner_of, pictures
from tests.features.efficientnet import lite1_file
from tests.features.weights import squeezenet_file


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> str:
    return str(squeezenet_file(tmp_path_factory.mktemp("weights")))


@pytest.fixture(scope="module")
def lite1(tmp_path_factory) -> str:
    return str(lite1_file(tmp_path_factory.mktemp("weights")))


def heads(weights: str, kind: str = "both", **losses: float) -> dict:
    return {
        "discriminator": {"kind": kind, "projected_weights": weights, "projected_width": 4},
        "losses": {"feature_matching": 10.0 if kind == "both" else 0.0, **losses},
    }


def on_two_networks(weights: str, lite1: str, **losses: float) -> dict:
    sections = heads(weights, "projected", **losses)
    second = {"projected_2_network": "efficientnet_lite1", "projected_2_weights": lite1}
    return {**sections, "discriminator": {**sections["discriminator"], **second}}


def test_losses_are_the_patch_scales_plus_the_weighted_heads(weights):
    options = config(**heads(weights, projected=0.25))
    learner = learner_of(options)
    networks = learner.networks
    networks.discriminator.eval()  # no power iteration: the same numbers twice
    (part,) = pictures(options)
    fake_photo = paddle.rand(part.photo.shape)
    loss, parts = discriminator_losses(networks, part, fake_photo, options.losses)
    both = [
        networks.discriminator(paddle.concat([part.segmap, photo], axis=1))
        for photo in (fake_photo, part.photo)
    ]
    (patch_fake, patch_real), (head_fake, head_real) = (
        discriminator_loss(both[0][kind], both[1][kind]) for kind in ("patch", "projected")
    )
    assert float(parts["d_fake"]) == pytest.approx(float(patch_fake + 0.25 * head_fake), rel=1e-5)
    assert float(parts["d_real"]) == pytest.approx(float(patch_real + 0.25 * head_real), rel=1e-5)
    assert float(loss) == pytest.approx(float(parts["d_fake"] + parts["d_real"]))
    assert {"d_accuracy", "d_accuracy_projected"} < set(parts)
    expected = generator_loss(both[0]["patch"]) + 0.25 * generator_loss(both[0]["projected"])
    fake = discriminate(networks, part, fake_photo)
    got = combined_generator_loss(fake, weights=options.losses.kinds)
    assert float(got) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("kind", ["both", "projected", "two networks"])
def test_a_step_moves_generator_and_heads_and_nothing_frozen(weights, lite1, kind):
    is_second = kind == "two networks"
    options = config(**on_two_networks(weights, lite1) if is_second else heads(weights, kind))
    part = "projected_2" if is_second else "projected"
    learner = learner_of(options)
    projection = getattr(learner.networks.discriminator, part).projection
    frozen = copy(projection.state_dict())
    network = copy(projection.network.state_dict())
    before = copy(learner.state())
    losses = [learner.learn(pictures(options, seed=seed)) for seed in range(2)]
    after = copy(learner.state())
    assert np.isfinite(list(losses[1].values())).all()
    assert ("d_accuracy" in losses[0], "g_feat" in losses[0]) == (kind == "both", kind == "both")
    assert f"d_accuracy_{part}" in losses[0]
    assert_same_state(frozen, copy(projection.state_dict()))
    assert_same_state(network, copy(projection.network.state_dict()))
    for name in ("head_0.layers.0.weight_orig", "head_2.layers.4.weight_orig"):
        name = f"{part}.{name}"
        assert not np.array_equal(before["discriminator"][name], after["discriminator"][name])
    name = "conv_img.weight"
    assert not np.array_equal(before["generator"][name], after["generator"][name])
    # nothing of the frozen network is in the checkpoint, but its mixes are
    names = [name for name in after["discriminator"] if "projection" in name]
    assert f"{part}.projection.down_0.weight" in names
    assert not any("fire" in name or "_conv" in name or "block" in name for name in names)


def test_the_heads_on_each_network_have_the_same_weight(weights, lite1):
    options = config(**on_two_networks(weights, lite1, projected=0.25))
    learner = learner_of(options)
    learner.networks.discriminator.eval()
    (part,) = pictures(options)
    fake_photo = paddle.rand(part.photo.shape)
    fake = discriminate(learner.networks, part, fake_photo)
    got = combined_generator_loss(fake, weights=options.losses.kinds)
    terms = [generator_loss(fake[kind]) for kind in ("projected", "projected_2")]
    assert float(terms[0]) != float(terms[1])
    assert float(got) == pytest.approx(0.25 * float(sum(terms)), rel=1e-5)


def test_the_generator_learns_from_the_heads_alone(weights):
    options = config(**heads(weights, "projected"))
    moved = []
    for weight in (1.0, 0.0):
        changed = dataclasses.replace(
            options, losses=dataclasses.replace(options.losses, projected=weight)
        )
        learner = learner_of(changed)
        moved.append(learner.learn(pictures(changed))["g_grad_norm"])
    assert moved[0] > 0 == moved[1]


def test_r1_is_of_the_patch_scales(weights):
    r1 = {"r1_gamma": 3.0, "r1_every_images": 1}
    penalties = []
    for extra in ({}, heads(weights, projected=0.0)):
        sections = {**extra, "regularization": r1}
        sections["discriminator"] = {"activation": "leaky_relu", **extra.get("discriminator", {})}
        options = config(**sections)
        penalties.append(learner_of(options).learn(pictures(options))["d_r1"])
    assert penalties[0] == pytest.approx(penalties[1], rel=1e-4)


class Views:
    """What measure_projection needs of a BatchSource; counts what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def view(self, position):
        self.asked.append(position)
        rng = np.random.default_rng(position)
        photo = rng.integers(0, 256, (32, 40, 3)).astype(np.uint8)
        return dataclasses.make_dataclass("View", ["photo"])(photo)


def test_photos_are_measured_once_for_each_network(weights, lite1):
    discriminator = build(tiny(on_two_networks(weights, lite1)), seed=1)["discriminator"]
    views = Views()
    measure_projection(discriminator, views)
    assert views.asked == 2 * list(range(PROJECTION_PICTURES))
    for projection in discriminator.projections():
        assert projection.photos.item() == PROJECTION_PICTURES
        assert (projection.across_0.mean.numpy() != 0).any()
    measure_projection(discriminator, views)
    measure_projection(build(tiny(), seed=1)["discriminator"], views)
    assert len(views.asked) == 2 * PROJECTION_PICTURES


def test_heads_can_be_added_to_a_patch_run(weights, tmp_path, landscape):
    run = Run(tmp_path / "run", tiny(), landscape)
    networks, before, lines = grow(run, tiny(heads(weights)), landscape)
    assert_carried(networks, run, "generator")
    assert_carried(networks, run, "discriminator", fresh=("projected",), before=before)
    assert lines[1].endswith("nld_0, nld_1; new: projected")


def test_heads_carry_over_with_their_mixes_and_statistics(weights, tmp_path, landscape):
    run = Run(tmp_path / "run", tiny(heads(weights)), landscape)
    changed = {**heads(weights), "seed": 77}  # other mixes, were they fresh
    networks, before, _ = grow(run, tiny(changed), landscape)
    assert_carried(networks, run, "discriminator")
    name = "projected.projection.across_0.weight"
    assert not np.array_equal(
        before["discriminator"][name], networks["discriminator"].state_dict()[name].numpy()
    )


def test_patch_scales_can_be_added_to_heads(weights, tmp_path, landscape):
    run = Run(tmp_path / "run", tiny(heads(weights, "projected")), landscape)
    networks, before, lines = grow(run, tiny(heads(weights)), landscape)
    fresh = ("nld_0", "nld_1")
    assert_carried(networks, run, "discriminator", fresh=fresh, before=before)
    assert lines[1].endswith("projected; new: nld_0, nld_1")


def test_heads_can_be_replaced_by_those_of_another_network(weights, tmp_path, landscape):
    run = Run(tmp_path / "run", tiny(heads(weights)), landscape)
    changed = heads(str(lite1_file(tmp_path)))
    changed["discriminator"]["projected_network"] = "efficientnet_lite1"
    networks, before, lines = grow(run, tiny(changed), landscape)
    assert_carried(networks, run, "discriminator", fresh=("projected",), before=before)
    assert lines[1].endswith("nld_0, nld_1; new: projected; the heads on squeezenet are removed")


def test_heads_on_a_second_network_can_be_added_and_removed(weights, lite1, tmp_path, landscape):
    one, two = tiny(heads(weights, "projected")), tiny(on_two_networks(weights, lite1))
    run = Run(tmp_path / "one", one, landscape)
    networks, before, lines = grow(run, two, landscape)
    assert_carried(networks, run, "discriminator", fresh=("projected_2",), before=before)
    assert lines[1].endswith("projected; new: projected_2")
    run = Run(tmp_path / "two", two, landscape)
    networks, _, lines = grow(run, one, landscape)
    assert_carried(networks, run, "discriminator")
    assert lines[1].endswith("projected; the heads on efficientnet_lite1 are removed")


def test_heads_of_another_width_are_new(weights, tmp_path, landscape):
    run = Run(tmp_path / "run", tiny(heads(weights)), landscape)
    wider = heads(weights)
    wider["discriminator"]["projected_width"] = 5
    networks, before, _ = grow(run, tiny(wider), landscape)
    assert_carried(networks, run, "discriminator", fresh=("projected",), before=before)


def test_patch_scales_can_be_removed_from_heads(weights, tmp_path, landscape):
    run = Run(tmp_path / "run", tiny(heads(weights)), landscape)
    networks, _, lines = grow(run, tiny(heads(weights, "projected")), landscape)
    assert_carried(networks, run, "discriminator")
    assert lines[1].endswith("projected; the patch scales are removed")


def test_another_kind_of_discriminator_is_refused_by_name(weights, tmp_path, landscape):
    run = Run(tmp_path / "patch", tiny(), landscape)
    message = "kind was patch, is projected, must be the same or both"
    with pytest.raises(ConfigError, match=message):
        changed = tiny(heads(weights, "projected"))
        initialize_from({}, run.folder, config=changed, label_set=landscape)


def test_heads_that_learned_on_other_weights_are_refused(weights, tmp_path, landscape):
    with np.load(weights) as arrays:
        others = {name: arrays[name] * 1.01 for name in arrays.files}
    np.savez(tmp_path / "other.npz", **others)
    run = Run(tmp_path / "run", tiny(heads(weights)), landscape)
    changed = tiny(heads(str(tmp_path / "other.npz")))
    networks, _, _ = grow(run, changed, landscape)
    with pytest.raises(ModelError, match="give the original weights file"):
        measure_projection(networks["discriminator"], Views())


def test_a_run_goes_on_bit_for_bit_and_a_dry_run_counts_it(workshop, weights):
    options = (
        "discriminator.kind=both",
        f"discriminator.projected_weights={weights}",
        "discriminator.projected_width=4",
        "regularization.augment_translation=0.125",
    )
    whole = workshop.train("heads", *options)
    assert whole.returncode == 0, whole.stderr
    assert workshop.train("stopped", *options, "total_images=4").returncode == 0
    again = workshop.train("stopped", *options)
    assert again.returncode == 0, again.stderr
    states = [workshop.weights(run, 8) for run in ("heads", "stopped")]
    assert_same_state(*states)
    state = states[0]["discriminator"]
    assert state["projected.projection.photos"].tolist() == [PROJECTION_PICTURES]
    text = dry_run(workshop, "planned heads", *options)
    networks = build(tiny(heads(weights)), seed=1)
    parameters = count_parameters(networks["discriminator"])
    assert f"discriminator: {parameters / 1e6:.2f} M parameters" in text
