"""PaddleHub's page of gradio: it opens, and paints through the service."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from spade_paddle.errors import ConfigError
from spade_paddle.serving import gradio_app
from tests.pictures import file_bytes, open64, png64, scene

PAGE = "/gradio/gaugan_doodle"


def test_a_label_map_given_to_the_gradio_page_is_painted_as_the_service_paints_it(server, tmp_path):
    page = server.get(PAGE)
    assert page.status_code == 200 and "gradio" in page.text
    files = {"files": ("label.png", file_bytes(scene()))}
    (path,) = server.session.post(f"{server.url}{PAGE}/upload", files=files, timeout=60).json()
    sent = {
        "data": [{"path": path, "meta": {"_type": "gradio.FileData"}}, 3],
        "fn_index": 0,
        "session_hash": "test",
    }
    answer = server.session.post(f"{server.url}{PAGE}/run/predict", json=sent, timeout=120).json()
    assert "data" in answer, answer
    found = server.get(f"{PAGE}/file={answer['data'][0]['path']}")
    (tmp_path / "found.png").write_bytes(found.content)
    (result,) = server.paint({"images": [png64(scene())], "seed": 3}).json()["results"]
    assert np.array_equal(
        np.asarray(Image.open(tmp_path / "found.png")), np.asarray(open64(result["image"]))
    )


@pytest.mark.parametrize(("name", "came"), [("starlette", "1.10.0"), ("pydantic", "2.11")])
def test_versions_with_which_gradio_would_hang_are_refused_by_name(monkeypatch, name, came):
    found = {"gradio": "4.44.1", "starlette": "0.46.2", "pydantic": "2.10.6", name: came}
    monkeypatch.setattr(gradio_app, "version", found.__getitem__)
    with pytest.raises(ConfigError, match=f"{name} below .* found {came}"):
        gradio_app.gradio_page(lambda path, seed: None)
