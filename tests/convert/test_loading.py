"""Files that do not hold the network they should."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from spade_paddle.convert.flags import Flags
from spade_paddle.convert.label_set import numbered_label_set
from spade_paddle.convert.model import convert, load_networks
from spade_paddle.errors import ModelError, UserError
from tests.convert.public import CONFIGS, network_of, public_state, state_of

CONVERT = {
    "spade": Flags("spade", 3, dont_care=True, instances=True),
    "clade": Flags("clade", 3, dont_care=True, instances=True),
    "photopen": Flags("photopen", 3, instances=True),
}


@pytest.fixture(scope="module")
def states():
    """The public state dicts of every source, by source and part."""
    return {
        source: {
            part: public_state(state_of(network_of(config, part)), source)
            for part in ("generator", "discriminator")
        }
        for source, config in CONFIGS.items()
    }


@pytest.fixture
def refusal(tmp_path):
    """Convert arrays that do not fit; gives back the message."""

    def attempt(source, **parts):
        weights = {}
        for part, arrays in parts.items():
            weights[part] = tmp_path / f"{part}.npz"
            np.savez(weights[part], **arrays)
        with pytest.raises(UserError) as error:
            convert(
                weights,
                tmp_path / "model",
                flags=CONVERT[source],
                label_set=numbered_label_set("x", 3),
                name="x",
            )
        assert {path.name for path in tmp_path.iterdir()} == {p.name for p in weights.values()}
        return str(error.value)

    return attempt


def rows_of(message: str) -> list[list[str]]:
    head, title, *rows = message.splitlines()
    assert "fit" in head
    assert title.split() == ["tensor", "expected", "found"]
    return [row.split(maxsplit=1) for row in rows]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("spade", "up_1.norm_s.param_free_norm.running_var"),
        ("clade", "up_1.norm_s.class_specified_affine.bias"),
        ("clade", "up_1.norm_0.inst_conv.bias"),
        ("photopen", "up_1.act_conv_s.0.weight_u"),
    ],
)
def test_a_missing_tensor_is_named_as_in_the_file(states, refusal, source, name):
    arrays = dict(states[source]["generator"])
    shape = list(arrays.pop(name).shape)
    (row,) = rows_of(refusal(source, generator=arrays))
    assert row[0] == name
    assert row[1].split() == [*str(shape).split(), "nothing"]


def test_an_extra_tensor_is_named(states, refusal):
    arrays = {**states["spade"]["generator"], "up_9.conv_0.bias": np.ones(2)}
    (row,) = rows_of(refusal("spade", generator=arrays))
    assert row[0] == "up_9.conv_0.bias"
    assert row[1].split() == ["nothing", "[2]"]


def test_a_wrong_shape_is_shown_in_the_layout_of_the_file(states, refusal):
    arrays = dict(states["spade"]["generator"])
    arrays["conv_img.bias"] = np.ones(4)
    (row,) = rows_of(refusal("spade", generator=arrays))
    assert [row[0], *row[1].split()] == ["conv_img.bias", "[3]", "[4]"]


def test_a_discriminator_that_lacks_a_tensor_leaves_nothing_behind(states, refusal):
    arrays = dict(states["clade"]["discriminator"])
    del arrays["discriminator_1.model2.0.0.weight_orig"]
    message = refusal("clade", generator=states["clade"]["generator"], discriminator=arrays)
    assert "the discriminator of a clade model" in message
    assert "discriminator_1.model2.0.0.weight_orig" in message


def test_a_long_table_is_cut(states, refusal):
    arrays = {**states["spade"]["generator"], **{f"x{i}.weight": np.ones(1) for i in range(50)}}
    rows = rows_of(refusal("spade", generator=arrays))
    assert len(rows) == 41
    assert rows[-1] == ["...", "and 10 more"]


@pytest.mark.parametrize(
    ("source", "other"),
    [pair for pair in itertools.permutations(CONFIGS, 2) if pair != ("clade", "spade")],
)
def test_weights_of_another_source_are_recognized(states, refusal, source, other):
    message = refusal(source, generator=states[other]["generator"])
    assert f"this is a {other} generator, but --from {source} is given" in message


def test_the_spade_generators_of_the_public_clade_are_accepted(states, tmp_path):
    np.savez(tmp_path / "g.npz", **states["spade"]["generator"])
    config, _ = load_networks({"generator": tmp_path / "g.npz"}, flags=CONVERT["clade"])
    assert config.generator.norm == "spade"


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("fc.weight", "there is no 'fc.weight', which determines the size of the generator"),
        ("up_3.conv_1.weight_orig", "there is no 'up_3.conv_1.weight"),
        ("head_0.norm_0.mlp_shared.0.weight", "there is no 'head_0.norm_0.mlp_shared.0.weight'"),
    ],
)
def test_a_lost_tensor_that_tells_a_size_is_named(states, refusal, lost, message):
    arrays = dict(states["spade"]["generator"])
    del arrays[lost]
    assert message in refusal("spade", generator=arrays)


def test_a_discriminator_in_place_of_the_generator_is_recognized(states, refusal):
    message = refusal("spade", generator=states["spade"]["discriminator"])
    assert "Is this the generator" in message
    message = refusal(
        "spade",
        generator=states["spade"]["generator"],
        discriminator=states["spade"]["generator"],
    )
    assert "Is this the discriminator" in message


def test_an_empty_file_is_refused(refusal):
    assert "the file begins with nothing" in refusal("spade", generator={})


def test_strange_shapes_are_named_and_do_not_crash(states, refusal):
    for name in ("head_0.norm_0.mlp_shared.0.weight", "up_3.conv_1.weight_orig"):
        arrays = {**states["spade"]["generator"], name: np.ones(3)}
        assert f"'{name}' should have 4 dimensions" in refusal("spade", generator=arrays)
    arrays = {**states["spade"]["generator"], "fc.weight": np.ones((17, 8))}
    assert "17 features from a style, which is not a multiple" in refusal("spade", generator=arrays)


def test_photopen_has_no_encoder(states, refusal):
    encoder = {"layer1.0.weight": np.ones(3)}
    message = refusal("photopen", generator=states["photopen"]["generator"], encoder=encoder)
    assert "--encoder: photopen has no encoder" in message


def test_a_label_set_must_have_as_many_labels_as_the_flags_say(tmp_path):
    with pytest.raises(UserError, match="has 4 labels, --num-labels says 3"):
        convert(
            {"generator": tmp_path / "g.npz"},
            tmp_path / "model",
            flags=CONVERT["spade"],
            label_set=numbered_label_set("x", 4),
            name="x",
        )


def test_made_label_sets_have_different_colors_and_are_always_the_same():
    labels = numbered_label_set("many", 255)
    assert len({label.color for label in labels.labels}) == 255
    assert (235, 235, 235) not in {label.color for label in labels.labels}  # don't care
    assert labels == numbered_label_set("many", 255)
    assert labels.labels[7].name_en == "label 7"
    assert labels.labels[7].name_zh == "标签 7"
    with pytest.raises(UserError, match="1 to 255"):
        numbered_label_set("too many", 256)


def test_misfits_are_model_errors(states, tmp_path):
    np.savez(tmp_path / "g.npz", **{**states["spade"]["generator"], "x.weight": np.ones(1)})
    with pytest.raises(ModelError) as error:
        convert(
            {"generator": tmp_path / "g.npz"},
            tmp_path / "model",
            flags=CONVERT["spade"],
            label_set=numbered_label_set("x", 3),
            name="x",
        )
    assert error.value.code == "weights_do_not_fit"
