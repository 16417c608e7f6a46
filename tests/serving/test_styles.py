"""Named styles through the service, with a real small model."""

from __future__ import annotations

import numpy as np
import pytest
from flask import Flask
from PIL import Image

from spade_paddle.data.labels import LabelSet
from spade_paddle.inference.painter import Painter
from spade_paddle.inference.styles import add_styles
from spade_paddle.serving.app import PREDICT_ROUTE, extend
from spade_paddle.serving.service import PaintService
from spade_paddle.serving.settings import ServiceSettings
from tests.inference.conftest import STYLE_CONFIG, Trained, export, photo
from tests.pictures import b64, file_bytes, open64, png64, raw_labels, scene

NAMES = ("bright", "sunset")


@pytest.fixture(scope="module")
def painter(landscape, tmp_path_factory) -> Painter:
    folder = tmp_path_factory.mktemp("styled") / "model"
    export(Trained(STYLE_CONFIG, landscape), folder)
    photos = {name: folder.parent / f"{name}.png" for name in NAMES}
    for seed, path in enumerate(photos.values()):
        Image.fromarray(photo(seed)).save(path)
    add_styles(folder, photos)
    return Painter.load(folder, threads=1)


@pytest.fixture
def client(painter):
    app = Flask("styles")
    service = PaintService(load_painter=lambda: painter, settings=ServiceSettings())
    extend(app, service=service)
    return app.test_client()


def test_the_service_tells_the_names_and_paints_the_style_that_is_asked_for(client, painter):
    model = client.get("/labels").get_json()["model"]
    assert (model["styles"], model["style_photo"], model["seed"]) == (list(NAMES), True, True)
    pictures = []
    for name in NAMES:
        content = {"labels": [raw_labels(scene())], "style_name": name}
        (result,) = client.post(PREDICT_ROUTE, json=content).get_json()["results"]
        pictures.append(np.asarray(open64(result["image"])))
        assert np.array_equal(pictures[-1], painter.paint(scene(), style=name))
    assert not np.array_equal(*pictures)


@pytest.mark.parametrize("kind", ["images", "labels"])
def test_the_ids_of_a_request_are_checked_once(client, monkeypatch, kind):
    checked, check = [], LabelSet.check
    monkeypatch.setattr(LabelSet, "check", lambda *given, **named: checked.append(check(*given)))
    sent = png64(scene(top=3)) if kind == "images" else raw_labels(scene(top=3))
    assert client.post(PREDICT_ROUTE, json={kind: [sent]}).status_code == 200
    assert len(checked) == 1


def test_a_style_that_the_model_lacks_and_a_style_given_twice_are_refused(client):
    content = {"labels": [raw_labels(scene())], "style_name": "dusk"}
    answer = client.post(PREDICT_ROUTE, json=content)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "style_unknown")
    assert answer.get_json()["details"]["known"] == list(NAMES)
    both = {**content, "style_name": "bright", "style": b64(file_bytes(photo()))}
    answer = client.post(PREDICT_ROUTE, json=both)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_value")
