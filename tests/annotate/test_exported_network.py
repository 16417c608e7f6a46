"""Networks as PaddleSeg's export.py writes them, here of one convolution."""

from __future__ import annotations

import json

import numpy as np
import paddle
import pytest
import yaml
from paddle import nn

from spade_paddle.annotate.annotator import Annotator
from spade_paddle.annotate.annotator_files import choose_annotator
from spade_paddle.errors import ModelError

LABELS = ("grass", "sky", "tree")  # in another order than ours


class Colors(nn.Layer):
    """Three classes: the score of each is a channel of the picture."""

    def __init__(self, output):
        super().__init__()
        self.output = output
        self.convolution = nn.Conv2D(3, 3, 1)
        self.convolution.weight.set_value(9 * np.eye(3, dtype=np.float32)[..., None, None])
        self.convolution.bias.set_value(np.zeros(3, np.float32))

    def forward(self, x):
        scores = self.convolution(x)
        if self.output == "argmax":
            return scores.argmax(axis=1).astype("int32")
        return nn.functional.softmax(scores, axis=1) if self.output == "softmax" else scores


@pytest.fixture
def export(tmp_path, landscape):
    pytest.importorskip("paddleseg")

    def export(output, *, labels=LABELS, **changes):
        spec = paddle.static.InputSpec([None, 3, None, None], "float32")
        paddle.jit.save(Colors(output), str(tmp_path / "model"), input_spec=[spec])
        program = next(tmp_path.glob("model.*o*"))  # model.json, or model.pdmodel of Paddle 2
        deploy = {
            "model": program.name,
            "params": "model.pdiparams",
            "input_shape": [-1, 3, -1, -1],
            "output_op": output,
            "transforms": [
                {"type": "Resize", "target_size": [32, 32]},
                {"type": "Normalize", "mean": [0.5] * 3, "std": [0.5] * 3},
            ],
            **changes,
        }
        (tmp_path / "deploy.yaml").write_text(yaml.safe_dump({"Deploy": deploy}))
        if labels:
            entries = [
                {**landscape.to_dict()["labels"][landscape.id_of(name)], "id": index}
                for index, name in enumerate(labels)
            ]
            content = {"name": "colors", "labels": entries}
            (tmp_path / "labels.json").write_text(json.dumps(content))
        return tmp_path

    return export


@pytest.mark.parametrize("output", ["argmax", "softmax", "none"])
def test_classes_become_our_labels_at_the_size_of_the_photo(export, output, landscape):
    photo = np.zeros((48, 64, 3), np.uint8)
    photo[:, :32, 0] = 200  # red is grass
    photo[:24, 32:, 1] = 200
    photo[24:, 32:, 2] = 200
    annotation = Annotator.load(export(output), label_set=landscape).annotate(photo)
    expected = np.full((48, 64), landscape.id_of("grass"))
    expected[:24, 32:], expected[24:, 32:] = landscape.id_of("sky"), landscape.id_of("tree")
    inner = np.ones((48, 64), bool)  # between two places of the network lies what lies there
    inner[22:26, 30:] = inner[:, 30:34] = False
    assert np.array_equal(annotation.label_map[inner], expected[inner])
    # at no place of the network's grid a third label: the softest output is the least sure
    assert annotation.confidence[0, 0] > 0.99


def test_files_of_a_folder_are_found_by_its_deploy_yaml(export):
    folder = export("argmax")
    files = choose_annotator(folder)
    assert files.config == folder / "deploy.yaml"
    assert files.weights == str(folder / "model.pdiparams")
    assert files.labels == str(folder / "labels.json")


def test_labels_can_be_named_and_must_be_known(export, landscape):
    folder = export("argmax", labels=None)
    with pytest.raises(ModelError, match=r"does not name its classes; .*--annotator-labels") as e:
        Annotator.load(folder)
    assert e.value.code == "annotator_labels"
    annotator = Annotator.load(folder, model_labels="landscape")
    photo = np.zeros((32, 32, 3), np.uint8)
    photo[..., 2] = 255
    assert np.unique(annotator.annotate(photo).label_map).tolist() == [2]


@pytest.mark.parametrize("output", ["argmax", "none"])
def test_another_number_of_classes_is_told(export, output):
    labels = LABELS[:2] if output == "argmax" else (*LABELS, "water")
    annotator = Annotator.load(export(output, labels=labels))
    photo = np.zeros((32, 32, 3), np.uint8)
    photo[..., 2] = 255
    with pytest.raises(ModelError, match=r"the network has (at least )?3 classes, but the label"):
        annotator.annotate(photo)


def test_missing_program_and_transforms_are_told(export):
    with pytest.raises(ModelError, match=r"other\.json: cannot be opened as an exported network"):
        Annotator.load(export("none", model="other.json"))
    with pytest.raises(ModelError, match=r"'Deploy: transforms:' is missing"):
        Annotator.load(export("none", transforms=[]))
