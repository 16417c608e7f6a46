"""One step from inside: what is left out when it is not finite, clipping, rates, statistics."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import paddle
import pytest

from spade_paddle.config import Config, read_config
from spade_paddle.data.augmentation import BRIGHTNESS, IDENTITY
from spade_paddle.data.batches import Batch
from spade_paddle.data.label_sets import find_label_set
from spade_paddle.engine import learner as learner_module
from spade_paddle.engine.descent import NotFinite
from spade_paddle.engine.distributed import Workers
from spade_paddle.engine.learner import Learner
from spade_paddle.engine.nan_guard import PATIENCE, BadSteps
from spade_paddle.engine.recalibrate import measure_statistics, statistics
from spade_paddle.engine.samples import sample_sheet
from spade_paddle.engine.steps import StepInput, generator_losses
from spade_paddle.errors import ModelError
from spade_paddle.layers.norm import ParamFreeBatchNorm
from spade_paddle.layers.spectral import effective_state
from spade_paddle.losses.color import chroma_loss, color_loss
from spade_paddle.networks.semantics import SemanticLayout
from tests.engine.conftest import TINY, assert_same_state
from tests.synthetic import synthetic_scene

LABEL_SET = find_label_set("landscape")
LABELS = len(LABEL_SET)


def config(**sections) -> Config:
    """TINY with fields of sections changed."""
    content = {name: dict(v) if isinstance(v, dict) else v for name, v in TINY.items()}
    for name, values in sections.items():
        content[name] = {**content.get(name, {}), **values} if isinstance(values, dict) else values
    return read_config(content)


def learner_of(options: Config) -> Learner:
    return Learner(options, num_labels=LABELS, workers=Workers())


def batch_of(count: int, *, seed: int = 0) -> Batch:
    rng = np.random.default_rng(seed)
    return Batch(
        photo=rng.uniform(-1, 1, (count, 3, 32, 32)).astype(np.float32),
        label_map=rng.integers(0, LABELS, (count, 32, 32)).astype(np.int32),
    )


def pictures(options: Config, *, count: int = 2, seed: int = 0) -> list[StepInput]:
    batch = batch_of(count, seed=seed)
    return [StepInput.of(batch, SemanticLayout.of(options, LABELS))]


def copy(state):
    if isinstance(state, dict):
        return {name: copy(value) for name, value in state.items()}
    return np.array(state) if isinstance(state, paddle.Tensor) else state


@pytest.mark.parametrize("part", ["generator", "discriminator"])
def test_a_step_that_is_not_finite_changes_nothing_but_its_count(part, monkeypatch):
    options = config()
    learner = learner_of(options)
    learner.learn(pictures(options))  # so that there are moments to lose
    before = copy(learner.state())
    if part == "generator":
        real = learner_module.Updater.step

        def step(self, parts, **options):
            photo = paddle.full_like(parts[0].photo, float("nan"))
            return real(self, [dataclasses.replace(parts[0], photo=photo)], **options)

        monkeypatch.setattr(learner_module.Updater, "step", step)
    else:
        from spade_paddle.engine import updates

        real_losses = updates.discriminator_losses

        def losses(*arguments, **options):
            loss, _ = real_losses(*arguments, **options)
            return loss * float("inf"), {"d_fake": loss * float("inf")}

        monkeypatch.setattr(updates, "discriminator_losses", losses)
    with pytest.raises(NotFinite):
        learner.learn(pictures(options, seed=1))
    after = copy(learner.state())
    assert after.pop("images_seen") == before.pop("images_seen") + 2
    if part == "discriminator":  # the generator's update was sound, and is kept
        for name in ("generator", "optimizer_g"):
            left, right = before.pop(name), after.pop(name)
            assert any(not np.array_equal(left[key], right[key]) for key in left)
            assert all(np.isfinite(np.asarray(v)).all() for v in right.values() if v is not None)
    assert_same_state(before, after)
    monkeypatch.undo()
    assert np.isfinite(list(learner.learn(pictures(options, seed=2)).values())).all()


def test_bad_steps_are_saved_and_the_last_of_too_many_is_an_error(tmp_path):
    bad_steps = BadSteps(tmp_path)
    losses = {"g_gan": float("nan"), "g_feat": 2.0}
    for index in range(PATIENCE - 1):
        line = bad_steps.bad(index, losses, arrays={"photo": np.zeros(3, np.uint8)})
        assert line.startswith(f"at {index} images g_gan NaN or infinite")
    bad_steps.good()
    for index in range(PATIENCE - 1):
        bad_steps.bad(index, losses, arrays={})
    with pytest.raises(ModelError, match="10 steps in a row"):
        bad_steps.bad(40, losses, arrays={"photo": np.arange(3)})
    with np.load(tmp_path / "0000000040.npz") as step:
        assert np.array_equal(step["photo"], [0, 1, 2])
        assert json.loads(str(step["losses"])) == {"g_gan": "nan", "g_feat": "2.0"}
    assert len(list(tmp_path.iterdir())) == PATIENCE


def test_clipping_limits_the_gradient_of_each_network_and_reports_its_norm():
    free, clipped = config(), config(optimizer={"gradient_clip": 0.01})
    losses, moments = [], []
    for options in (free, clipped):
        learner = learner_of(options)
        losses.append(learner.learn(pictures(options)))
        state = learner.state()
        moments.append(
            [
                np.sqrt(sum((np.array(v) ** 2).sum() for k, v in part.items() if "moment1" in k))
                for part in (state["optimizer_g"], state["optimizer_d"])
            ]
        )
    for index, name in enumerate(("g_grad_norm", "d_grad_norm")):
        assert losses[0][name] > 0.02
        if index == 0:  # the discriminator then judges pictures of another generator
            assert losses[1][name] == pytest.approx(losses[0][name])
        # after one step the first moment is a tenth of the gradient (beta1 0.9)
        assert moments[0][index] == pytest.approx(losses[0][name] / 10, rel=1e-3)
        assert moments[1][index] == pytest.approx(0.001, rel=1e-3)


def test_rates_fall_with_the_images_whatever_the_batch():
    rates = {}
    for batch in (1, 2, 4):
        options = config(
            batch_size=batch,
            total_images=16,
            optimizer={"decay_start_images": 8, "decay_floor": 0.0, "generator_lr": 1.0e-3},
        )
        learner = learner_of(options)
        while learner.images_seen < 16:
            seen = learner.images_seen
            rates.setdefault(seen, set()).add(learner.learn(pictures(options, count=batch))["lr"])
    assert all(len(values) == 1 for values in rates.values())
    assert rates[8] == {1.0e-3}
    assert rates[12] == {0.5e-3}


def test_r1_is_counted_every_so_many_images_and_then_so_much_stronger():
    options = config(
        discriminator={"activation": "leaky_relu"},
        regularization={"r1_gamma": 3.0, "r1_every_images": 6},
    )
    learner = learner_of(options)
    counted = ["d_r1" in learner.learn(pictures(options)) for _ in range(6)]
    assert counted == [False, False, True, False, False, True]
    assert learner._r1_weight(2) == 0
    learner.images_seen = 16
    assert learner._r1_weight(2) == 3.0 / 2 * 6 / 2
    assert learner._r1_weight(12) == 3.0 / 2  # a batch of more than that: each time, once


def test_the_discriminator_sees_augmented_pictures_the_generators_losses_plain_ones():
    options = config(losses={"feature_matching": 0.0})
    rows = np.tile(np.array(IDENTITY, np.float32), (2, 1))
    changed = rows.copy()
    changed[:, BRIGHTNESS] = 0.4
    losses = []
    for augmentation in (None, rows, changed):
        (part,) = pictures(options)
        part = dataclasses.replace(part, augmentation=augmentation)
        losses.append(learner_of(options).learn([part]))
    plain, identity, bright = losses
    assert identity == plain
    for name in ("g_gan", "d_fake", "d_real"):
        assert bright[name] != plain[name], name


def test_networks_that_are_looked_at_go_on_learning():
    options = config()
    learner = learner_of(options)
    scene = synthetic_scene(1, label_set=LABEL_SET, height=32, width=32, instances=False)
    picture = sample_sheet([learner.networks], [scene], config=options, label_set=LABEL_SET)
    assert picture.shape == (32, 3 * 32 + 2 * 4, 3)
    assert all(layer.training for layer in learner.networks.generator.sublayers())


def test_measured_statistics_are_the_mean_of_the_batches_and_nothing_stays_changed():
    options = config()
    learner = learner_of(options)
    batches = [part for seed in range(3) for part in pictures(options, seed=seed)]
    generator = learner.averaged.generator
    before = copy(generator.state_dict())
    measured = measure_statistics(learner.averaged, batches)
    assert_same_state(before, copy(generator.state_dict()))
    assert not generator.training
    norms = [x for x in generator.sublayers() if isinstance(x, ParamFreeBatchNorm)]
    assert {norm.momentum for norm in norms} == {0.9}
    # the first norm sees what the first convolution makes of the semantic map
    seen = [generator.fc(b.segmap[:, :, ::32, ::32]).numpy() for b in batches]
    name = "head_0.norm_0.param_free_norm"
    names = [key for key in measured if key.startswith("head_0") and key.endswith("_mean")]
    assert f"{name}._mean" in names, names
    means = [x.mean(axis=(0, 2, 3)) for x in seen]
    variances = [x.var(axis=(0, 2, 3)) for x in seen]
    assert np.allclose(measured[f"{name}._mean"], np.mean(means, axis=0), atol=1e-6)
    assert np.allclose(measured[f"{name}._variance"], np.mean(variances, axis=0), rtol=1e-4)
    with statistics(generator, measured):
        inside = copy(generator.state_dict())
    assert np.array_equal(inside[f"{name}._mean"], measured[f"{name}._mean"])
    assert_same_state(before, copy(generator.state_dict()))


def test_without_batch_norm_there_is_nothing_to_measure():
    options = config(generator={"param_free_norm": "instance"})
    assert measure_statistics(learner_of(options).averaged, pictures(options)) == {}


def test_the_learners_average_has_the_half_life_of_the_images_seen():
    options = config(ema_halflife_images=8, ema_halflife_share=0.5)
    learner = learner_of(options)
    name = "conv_img.weight"
    expected = learner.averaged.generator.state_dict()[name].numpy()
    for step in range(10):
        learner.learn(pictures(options, seed=step))
        beta = 0.5 ** (2 / min(0.5 * learner.images_seen, 8))
        newest = effective_state(learner.networks.generator)[name].numpy()
        expected = beta * expected + (1 - beta) * newest
        average = learner.averaged.generator.state_dict()[name].numpy()
        assert np.allclose(average, expected, atol=1e-6)


def test_without_a_half_life_who_looks_sees_the_newest_weights():
    options = config(ema_halflife_images=0)
    learner = learner_of(options)
    for step in range(2):
        learner.learn(pictures(options, seed=step))
        newest = copy(effective_state(learner.networks.generator))
        assert_same_state(copy(learner.averaged.generator.state_dict()), newest)
        with learner.exported() as exported:
            assert_same_state(copy(exported.generator.state_dict()), newest)
        assert_same_state(copy(learner.state()["average"]), newest)


def test_cudnn_is_told_to_search_before_anything_is_built(monkeypatch):
    done = []
    monkeypatch.setattr(learner_module, "search_convolutions", lambda: done.append("search"))
    build = learner_module.build_generator
    monkeypatch.setattr(
        learner_module, "build_generator", lambda *a, **o: (done.append("build"), build(*a, **o))[1]
    )
    learner_of(config())
    assert done == ["search", "build", "build"]


def test_the_perceptual_loss_is_shown_pictures_moved_by_the_batchs_shift():
    options = config()
    networks = learner_of(options).networks
    seen = []

    def distance(fake, real, *, shift):
        seen.append(shift)
        return paddle.zeros([])

    networks.perceptual = distance
    batch = dataclasses.replace(batch_of(2), shift=np.array([[3, 5], [1, 2]]))
    for moved in (batch, dataclasses.replace(batch, shift=batch.shift[1:])):
        part = StepInput.of(moved, SemanticLayout.of(options, LABELS))
        generator_losses(networks, part, options.losses)
    assert seen == [(3, 5), (1, 2)]  # a batch moves as its first picture does


def test_color_and_chroma_loss_have_their_weights_and_count_in_the_total():
    options = config(losses={"color": 2.5, "chroma": 1.5})
    part = StepInput.of(batch_of(2), SemanticLayout.of(options, LABELS))
    networks = learner_of(options).networks
    total, parts, fake_photo = generator_losses(networks, part, options.losses)
    expected = 2.5 * color_loss(fake_photo, part.photo, part.segmap)
    assert float(parts["g_color"]) == pytest.approx(float(expected))
    expected = 1.5 * chroma_loss(fake_photo, part.photo)
    assert float(parts["g_chroma"]) == pytest.approx(float(expected))
    assert float(total) == pytest.approx(sum(float(value) for value in parts.values()))
    assert not {"g_color", "g_chroma"} & generator_losses(networks, part, config().losses)[1].keys()


def test_color_balance_is_part_of_the_state_and_older_checkpoints_have_none():
    options = config(losses={"color_balance": 2.5})
    learner = learner_of(options)
    losses = learner.learn(pictures(options))
    assert losses["g_balance"] > 0
    balance = learner.networks.color_balance
    assert balance.sums[:, 3].sum().item() == pytest.approx(2)  # the shares of two pictures
    state = copy(learner.state())
    other = learner_of(options)
    other.load(state)
    assert np.array_equal(other.networks.color_balance.sums, balance.sums)
    del state["color_balance"]
    other.load(state)
    assert "color_balance" not in learner_of(config()).state()


def test_every_teacher_of_omgd_has_a_color_balance_of_its_own():
    plain = {"method": "omgd", "gram": 0.0, "feature": 0.0}  # without a feature network
    options = config(losses={"color_balance": 1.0}, distillation=plain)
    learner = learner_of(options)
    names = [name for name in learner.state() if name.endswith("color_balance")]
    assert len(names) == len(learner.teachers) == 2
    first, second = (teacher.color_balance for teacher in learner.teachers)
    assert first is not second


@pytest.mark.parametrize("trained", [False, True])
def test_an_encoder_that_is_not_trained_keeps_its_weights(trained):
    options = config(encoder={"style_dim": 4}, optimizer={"train_encoder": trained})
    learner = learner_of(options)
    before = {
        name: {key: parameter.numpy() for key, parameter in network.named_parameters()}
        for name, network in learner.trained()
    }
    batch = dataclasses.replace(batch_of(2), style_noise=np.ones((2, 4), np.float32))
    losses = learner.learn([StepInput.of(batch, SemanticLayout.of(options, LABELS))])
    assert losses["g_vae"] > 0
    changed = {
        name: any(
            (parameter.numpy() != before[name][key]).any()
            for key, parameter in network.named_parameters()
        )
        for name, network in learner.trained()
    }
    assert changed == {"generator": True, "encoder": trained, "discriminator": True}
