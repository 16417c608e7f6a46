"""Which files --model means."""

from __future__ import annotations

import pytest

from spade_paddle.annotate.annotator_files import choose_annotator, known_annotators
from spade_paddle.errors import ModelError


@pytest.fixture
def folder(tmp_path):
    """An annotator folder whose files are never opened."""
    (tmp_path / "net.yml").write_text("model: {type: X}\n")
    (tmp_path / "model.pdparams").write_bytes(b"weights")
    return tmp_path


def test_folder_gives_its_yaml_file_and_weights(folder):
    files = choose_annotator(folder)
    assert files.config == folder / "net.yml"
    assert files.weights == str(folder / "model.pdparams")
    assert files.labels is None


def test_yaml_file_takes_the_weights_beside_it_and_labels(folder):
    (folder / "labels.json").write_text("{}")
    files = choose_annotator(folder / "net.yml")
    assert files.weights == str(folder / "model.pdparams")
    assert files.labels == str(folder / "labels.json")


def test_weights_of_the_same_name_win_among_several(folder):
    (folder / "net.pdparams").write_bytes(b"weights")
    assert choose_annotator(folder / "net.yml").weights == str(folder / "net.pdparams")


def test_several_weights_without_that_name_are_refused(folder):
    (folder / "other.pdparams").write_bytes(b"weights")
    with pytest.raises(
        ModelError, match=r"model\.pdparams, other\.pdparams\); rename the right one"
    ):
        choose_annotator(folder)


def test_two_yaml_files_are_refused(folder):
    (folder / "b.yaml").write_text("model: {type: X}\n")
    with pytest.raises(ModelError, match=r"found net\.yml, b\.yaml"):
        choose_annotator(folder)


def test_pretrained_of_the_file_is_the_address_when_nothing_lies_beside(folder):
    (folder / "model.pdparams").unlink()
    (folder / "net.yml").write_text(
        "model: {type: X, pretrained: 'https://a.example/m.pdparams'}\n"
    )
    assert choose_annotator(folder).weights == "https://a.example/m.pdparams"


def test_no_weights_at_all_is_told(folder):
    (folder / "model.pdparams").unlink()
    with pytest.raises(ModelError, match="there are no weights; put the trained"):
        choose_annotator(folder)


def test_unknown_name_is_told_with_the_nearest(tmp_path):
    with pytest.raises(ModelError, match="did you mean 'pp_mobileseg_tiny_ade20k'"):
        choose_annotator("pp_mobilseg_tiny_ade20k")


def test_every_known_name_has_its_files():
    assert "landscape" in known_annotators()
    for name in known_annotators():
        files = choose_annotator(name)
        assert files.config.is_file()
        assert files.weights.startswith("https://") == (name != "landscape")
