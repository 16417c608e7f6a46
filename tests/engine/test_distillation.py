"""One step of a student from inside: what it learns from, and what it leaves alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import paddle
import pytest

from spade_paddle.config import Config
from spade_paddle.engine.descent import NotFinite
from spade_paddle.engine.distributed import Workers
from spade_paddle.engine.learner import Learner
from spade_paddle.engine.omgd import initialize_deeper_teacher, teacher_config
from spade_paddle.engine.samples import sample_sheet
from spade_paddle.engine.steps import Networks, StepInput, generator_losses
from spade_paddle.engine.taps import Taps
from spade_paddle.errors import ConfigError
from spade_paddle.losses import distillation as losses
from spade_paddle.networks.build import build_generator
from spade_paddle.networks.semantics import SemanticLayout
from spade_paddle.networks.widths import GeneratorWidths
from tests.engine.test_learner import LABEL_SET, LABELS, batch_of, config, copy
from tests.features.efficientnet import lite1_file
from tests.features.weights import squeezenet_file
from tests.synthetic import synthetic_scene

STYLE = {"style_dim": 3, "nef": 2, "size": 16}
OMGD = {"method": "omgd", "wider": 2, "gram": 0.0, "feature": 0.0}
BLOCKS = ("head_0", "up_1")


def inputs_of(options: Config, *, count: int = 2, seed: int = 0) -> StepInput:
    batch = batch_of(count, seed=seed)
    if options.generator.noise:
        noise = np.random.default_rng(seed).standard_normal((count, 7, 32, 32))
        batch = dataclasses.replace(batch, noise=noise.astype(np.float32))
    if options.encoder.style_dim:
        noise = np.random.default_rng(seed).standard_normal((count, options.encoder.style_dim))
        batch = dataclasses.replace(batch, style_noise=noise.astype(np.float32))
    return StepInput.of(batch, SemanticLayout.of(options, LABELS))


def cat_learner(**changes) -> Learner:
    """A student of CAT whose teacher has twice its widths."""
    paddle.seed(1)
    options = {"teacher": "elsewhere", "layers": " ".join(BLOCKS), "feature_mse": 10.0}
    options = config(distillation={"method": "cat", **options, **changes})
    wide = config(generator={"ngf": 4, "max_width": 16})
    teacher = build_generator(wide, num_labels=LABELS, spectral_norm=False)
    teacher.eval()
    return Learner(options, num_labels=LABELS, workers=Workers(), teacher=Networks(teacher, None))


def omgd_learner(**sections) -> Learner:
    distillation = {**OMGD, **sections.pop("distillation", {})}
    options = config(distillation=distillation, **sections)
    return Learner(options, num_labels=LABELS, workers=Workers())


def states(networks: dict[str, paddle.nn.Layer]) -> dict:
    return {name: copy(network.state_dict()) for name, network in networks.items()}


def changed(before: dict, networks: dict[str, paddle.nn.Layer]) -> set[str]:
    """The networks in which any number is another one now."""
    return {
        name
        for name, network in networks.items()
        for key, value in network.state_dict().items()
        if not np.array_equal(value.numpy(), before[name][key])
    }


def learning(learner: Learner) -> dict[str, paddle.nn.Layer]:
    networks = dict(learner.trained())
    assert {"generator", "discriminator"} <= networks.keys()
    return networks


# --- CAT -----------------------------------------------------------------------------------------


def test_cat_adds_what_the_features_of_the_blocks_say():
    learner = cat_learner()
    batch = inputs_of(config())
    networks, (teacher,) = learner.networks, learner.teachers
    taps = [Taps(each.generator, BLOCKS) for each in (networks, teacher)]
    _, parts, _ = generator_losses(networks, batch, config().losses)
    ours, theirs = (tap.take() for tap in taps)
    assert [x.shape[1] for x in theirs] == [2 * x.shape[1] for x in ours]
    aligned = [float(losses.kernel_alignment(*pair)) for pair in zip(ours, theirs)]
    assert all(0 < value < 1 - 1e-6 for value in aligned)
    assert float(parts["g_alignment"]) == pytest.approx(0.5 * sum(1 - v for v in aligned))
    adapted = [adapter(x) for adapter, x in zip(networks.adapters.values(), ours)]
    squares = [np.mean((a - t).numpy() ** 2) for a, t in zip(adapted, theirs)]
    assert float(parts["g_features"]) == pytest.approx(10 * sum(squares), rel=1e-5)


def test_a_step_of_cat_moves_student_and_adapters_and_no_number_of_the_teacher():
    learner = cat_learner()
    (teacher,) = learner.teachers
    networks = {**learning(learner), "teacher": teacher.generator}
    before = states(networks)
    learner.learn([inputs_of(config())])
    assert changed(before, networks) == {"generator", "discriminator", "adapters"}
    assert all(parameter.grad is None for parameter in teacher.generator.parameters())
    assert not any("teacher" in name for name in learner.state())


def test_without_its_weight_neither_of_the_two_is_computed():
    for field, name in (("alignment", "g_alignment"), ("feature_mse", "g_features")):
        learner = cat_learner(**{field: 0.0})
        assert (learner.networks.adapters is None) == (field == "feature_mse")
        found = learner.learn([inputs_of(config())])
        assert name not in found
        assert {"g_alignment", "g_features"} - {name} <= found.keys()


def test_a_block_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match="got 'up_9'; the blocks are head_0, G_middle_0"):
        cat_learner(layers="head_0 up_9")


# --- OMGD ----------------------------------------------------------------------------------------


def test_teachers_learn_in_every_so_many_steps_and_the_student_in_each():
    learner = omgd_learner(encoder=STYLE)
    networks = learning(learner)
    teaching = {"wider_generator", "deeper_generator", "encoder", "discriminator"}
    teaching |= {"deeper_discriminator"}
    for step in range(4):
        before = states(networks)
        found = learner.learn([inputs_of(learner._config, seed=step)])
        moved = changed(before, networks)
        ours = {"generator", "adapters"}
        # outside of their turn teachers paint in training mode, which moves statistics alone
        weights = {
            name
            for name in moved - ours
            if any(
                not np.array_equal(parameter.numpy(), before[name][key])
                for key, parameter in networks[name].named_parameters()
            )
        }
        assert ours <= moved
        # nor is there a gradient of the student's that their next turn would apply
        others = [networks[name] for name in teaching]
        assert all(p.grad is None for network in others for p in network.parameters())
        assert weights == (teaching if step % 3 == 0 else set())
        assert ("wider_g_gan" in found) == ("deeper_d_fake" in found) == (step % 3 == 0)
        assert {"s_ssim", "s_tv", "s_channels", "s_grad_norm"} <= found.keys()


def test_the_student_sees_neither_discriminator_nor_photo():
    """With other photos and other discriminators it goes the same way."""
    moved = []
    for change in (False, True):
        paddle.seed(3)
        learner = omgd_learner(distillation={"teachers_every": 5})
        learner.learn([inputs_of(learner._config)])  # the teachers' turn, the same in both
        batch = inputs_of(learner._config, seed=1)
        if change:
            batch = dataclasses.replace(batch, photo=-batch.photo)
            for name in ("discriminator", "deeper_discriminator"):
                for parameter in learning(learner)[name].parameters():
                    parameter.set_value(parameter * 2)
        learner.learn([batch])
        moved.append(copy(learner.networks.generator.state_dict()))
    for name, value in moved[0].items():
        assert np.array_equal(value, moved[1][name]), name


def test_the_losses_of_the_student_are_those_of_both_pictures(tmp_path):
    weights = str(squeezenet_file(tmp_path))
    learner = omgd_learner(
        distillation={"gram": 100.0, "feature": 3.0, "teachers_every": 1},
        losses={"perceptual_network": "squeezenet", "perceptual_weights": weights},
        generator={"spectral_norm": False},  # whose vectors move in every forward pass
    )
    batch = inputs_of(learner._config)
    student, teachers = learner.networks, learner.teachers
    blocks = learner._config.distillation.compared
    taps = [Taps(each.generator, blocks) for each in (student, teachers[0])]
    with paddle.no_grad():
        painted = [each.generator(batch.segmap) for each in (student, *teachers)]
    ours, theirs = (tap.take() for tap in taps)
    maps = [student.perceptual.maps(each) for each in painted]
    found = learner.learn([batch])
    picture, others = painted[0], painted[1:]
    expected = {
        "s_ssim": 10 * sum(1 - losses.ssim(picture, each) for each in others),
        "s_gram": 100 * sum(losses.gram_loss(maps[0], each) for each in maps[1:]),
        "s_feature": 3 * sum((maps[0][1] - each[1]).abs().mean() for each in maps[1:]),
        "s_tv": 2 * 2 * losses.total_variation(picture),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(float(value), rel=1e-4), name
    assert [x.shape[1] for x in theirs] == [2 * x.shape[1] for x in ours]


def test_teachers_are_wider_and_deeper_and_share_what_they_should():
    learner = omgd_learner(
        encoder=STYLE, distillation={"shared_stages": 2, "deeper": 2}, generator={"ngf": 3}
    )
    wider, deeper = learner.teachers
    ours = learner.networks.generator.block_channels
    assert wider.generator.block_channels == {name: 2 * out for name, out in ours.items()}
    assert set(deeper.generator.block_channels) == {
        *ours,
        *(f"{name}_extra_{index}" for name in ours for index in range(2)),
    }
    assert wider.encoder is deeper.encoder is learner.networks.encoder
    assert wider.discriminator is learner.networks.discriminator
    first, second = (each.discriminator for each in (wider, deeper))
    for scale in range(2):
        stages = [getattr(each, f"nld_{scale}")[-1] for each in (first, second)]
        for stage in range(4):
            left, right = (getattr(each, f"layer_{stage}") for each in stages)
            assert (left is right) == (stage < 2)
    moved = learner._updater._teacher_updater.discriminator.parameters
    assert len({id(parameter) for parameter in moved}) == len(moved)
    learner.learn([inputs_of(learner._config)])


def test_teachers_share_the_frozen_features_of_both_networks(tmp_path):
    heads = {
        **{"kind": "both", "projected_width": 4, "projected_2_network": "efficientnet_lite1"},
        "projected_weights": str(squeezenet_file(tmp_path)),
        "projected_2_weights": str(lite1_file(tmp_path)),
    }
    learner = omgd_learner(discriminator=heads)
    first, second = (each.discriminator for each in learner.teachers)
    for part in ("projected", "projected_2"):
        ours, theirs = (getattr(each, part) for each in (first, second))
        assert ours.projection is theirs.projection
        assert ours.head_0 is not theirs.head_0
    learner.learn([inputs_of(learner._config)])


@pytest.mark.parametrize(
    "generator", [{"norm": "spade"}, {"norm": "clade", "noise": True}, {"block": "inception"}]
)
def test_the_deeper_teacher_begins_as_the_student_and_learns_with_its_own_blocks(generator):
    learner = omgd_learner(generator={"simam": False, "spectral_norm": False, **generator})
    student, (_, deeper) = learner.networks, learner.teachers
    for name in ("generator", "discriminator"):
        for parameter in getattr(student, name).parameters():
            parameter.set_value(parameter + 0.1 * paddle.randn(parameter.shape))
    started = {name: value.numpy() for name, value in deeper.generator.named_parameters()}
    line = initialize_deeper_teacher(deeper, student)
    assert line == "deeper teacher: initialized from the student, with 7 additional blocks"
    batch = inputs_of(learner._config)
    with paddle.no_grad():
        ours, theirs = (each.generator(batch.segmap, batch.noise) for each in (student, deeper))
        assert np.allclose(ours, theirs, atol=1e-6)
        for left, right in zip(
            student.discriminator.parameters(), deeper.discriminator.parameters()
        ):
            assert np.array_equal(left, right)
    zeros = {
        name: value
        for name, value in deeper.generator.named_parameters()
        if "_extra_0." in name and started[name].any() and not value.any()
    }
    assert {name.partition(".")[0] for name in zeros} == {
        f"{name}_extra_0" for name in student.generator.block_channels
    }
    learner.learn([batch])
    # of a single pixel batch norm takes out what an edge adds to every picture: no gradient
    learning = {name for name in zeros if not name.startswith("head_0_extra_0.norm_1.edge")}
    assert len(zeros) - len(learning) <= 1
    assert not [name for name in learning if not zeros[name].any()], "these cannot learn"


def test_a_clipped_student_has_teachers_of_its_own_widths():
    options = config().generator
    lists = GeneratorWidths.of_options(options, has_style=False).to_lists(options)
    lists["up_2"][1] = 3
    clipped = config(generator={"widths": lists})
    wide = teacher_config(clipped, wider=4).generator.widths
    assert wide["up_2"][:2] == [4 * lists["up_2"][0], 12]
    deep = teacher_config(clipped, deeper=1).generator.widths
    assert deep["up_2"] == lists["up_2"]
    assert deep["up_2_extra_0"][:2] == [lists["up_2"][0]] * 2


@pytest.mark.parametrize("maker", [cat_learner, omgd_learner])
def test_a_step_that_is_not_finite_changes_no_state(maker):
    learner = maker()
    learner.learn([inputs_of(learner._config)])
    before = copy({k: v for k, v in learner.state().items() if k != "images_seen"})
    bad = inputs_of(learner._config)
    bad = dataclasses.replace(bad, segmap=paddle.full_like(bad.segmap, float("nan")))
    with pytest.raises(NotFinite):
        learner.learn([bad])
    for name, part in copy(learner.state()).items():
        if isinstance(part, dict) and not name.startswith("optimizer"):
            for key, value in part.items():
                assert np.array_equal(value, before[name][key]), (name, key)


@pytest.mark.parametrize(("maker", "columns"), [(cat_learner, 5), (omgd_learner, 6)])
def test_the_samples_show_student_average_teachers_and_photo(maker, columns):
    learner = maker()
    scene = synthetic_scene(0, label_set=LABEL_SET, height=32, width=32)
    painters = [learner.networks, learner.averaged, *learner.teachers]
    sheet = sample_sheet(painters, [scene], config=learner._config, label_set=LABEL_SET)
    single = sample_sheet(painters[:1], [scene], config=learner._config, label_set=LABEL_SET)
    per_column = single.shape[1] / 3
    assert sheet.shape[1] / per_column == pytest.approx(columns, abs=0.2)
