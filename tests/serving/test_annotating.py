"""A photo becomes a label map: known answers, bad photos, and no annotator at all."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from spade_paddle.data.labels import Label, LabelSet
from spade_paddle.inference.paddle_thread import in_paddle_thread
from spade_paddle.serving import annotating
from spade_paddle.serving.annotating import crop_middle
from spade_paddle.serving.error_codes import ERROR_CODES
from tests.pictures import b64, file_bytes, scene
from tests.serving.conftest import ROOT
from tests.serving.test_app import assert_error
from tests.serving.test_label_images import hand_made_png

ORIENTATION = 0x0112


def photo_of(ids: np.ndarray) -> np.ndarray:
    """What the fake annotator reads as these ids."""
    return np.repeat((ids * 16 + 8).astype(np.uint8)[..., None], 3, axis=2)


def ask(client, photo, *, width=64, height=64, **more):
    data = photo if isinstance(photo, bytes) else file_bytes(photo)
    content = {"photo": b64(data), "width": width, "height": height, **more}
    return client.post("/annotate", json=content)


def ids_of(response) -> np.ndarray:
    assert response.status_code == 200, response.get_json()
    body = response.get_json()
    assert (body["status"], body["msg"]) == ("000", "")
    (result,) = body["results"]
    assert isinstance(result["milliseconds"], int)
    data = np.frombuffer(base64.b64decode(result["data"]), np.uint8)
    return data.reshape(result["height"], result["width"])


def three_parts(height: int = 100, width: int = 300) -> np.ndarray:
    """The labels 1, 2 and 3 from left to right."""
    return np.repeat([[1, 2, 3]], height, axis=0).repeat(width // 3, axis=1)


def test_the_middle_of_a_photo_becomes_ids_of_exactly_the_asked_size(client):
    square = ids_of(ask(client, photo_of(three_parts()), width=96, height=96))
    assert square.shape == (96, 96) and (square == 2).all()
    wide = ids_of(ask(client, photo_of(three_parts()), width=96, height=32))
    assert np.array_equal(wide, three_parts(32, 96))
    upright = ids_of(ask(client, photo_of(three_parts().T), width=33, height=99))
    assert np.array_equal(upright, three_parts(33, 99).T)


@pytest.mark.parametrize(
    ("shape", "size", "middle"),
    [
        ((100, 300), (64, 64), (100, 100)),
        ((300, 100), (64, 64), (100, 100)),
        ((100, 100), (64, 32), (50, 100)),
        ((1, 1), (64, 32), (1, 1)),
        ((7, 5), (256, 32), (1, 5)),
        ((480, 640), (256, 192), (480, 640)),
    ],
)
def test_the_largest_part_of_the_asked_shape_is_kept_and_as_much_lost_on_either_side(
    shape, size, middle
):
    rows, columns = np.indices(shape)
    photo = np.dstack([rows, columns, columns])
    part = crop_middle(photo, width=size[0], height=size[1])
    assert part.shape[:2] == middle
    for axis in (0, 1):
        before = int(part[0, 0, axis])
        after = shape[axis] - 1 - int(part[-1, -1, axis])
        assert 0 <= after - before <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright_as_its_exif_data_says(client, orientation):
    ids = np.array([[1, 2], [3, 4]]).repeat(32, axis=0).repeat(32, axis=1)
    stored = {
        **{1: ids, 2: ids[:, ::-1], 3: ids[::-1, ::-1], 4: ids[::-1], 5: ids.T},
        **{6: np.rot90(ids), 7: ids[::-1, ::-1].T, 8: np.rot90(ids, -1)},
    }[orientation]
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = file_bytes(photo_of(stored), exif=exif.tobytes())
    assert np.array_equal(ids_of(ask(client, data)), ids)


def test_labels_go_by_their_english_names_and_unknown_ones_become_dont_care(
    client, annotator, label_set
):
    names = ["lava", "snow", "sky"]
    annotator.label_set = LabelSet(
        "other", tuple(Label(id, name, name, (0, 0, 0)) for id, name in enumerate(names))
    )
    found = ids_of(ask(client, photo_of(three_parts() - 1), width=96, height=32))
    wanted = [255, label_set.id_of("snow"), label_set.id_of("sky")]
    assert found[0, [0, 40, 90]].tolist() == wanted


def test_enlarging_invents_no_labels_between(client):
    ids = np.array([[1, 11], [11, 1]])
    found = ids_of(ask(client, photo_of(ids), width=250, height=130))
    assert set(np.unique(found)) == {1, 11}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "MPO"])
def test_photos_of_any_usual_kind_are_read(client, kind):
    found = ids_of(ask(client, file_bytes(photo_of(np.full((64, 64), 5)), image_format=kind)))
    assert (found == 5).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_photos_of_any_mode_are_read(client, mode):
    image = Image.new("L" if mode == "I;16" else "RGB", (64, 64), "white").convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "TIFF")
    assert len(np.unique(ids_of(ask(client, buffer.getvalue())))) == 1


def test_a_large_photo_is_looked_at_in_a_smaller_size(client, annotator):
    data = file_bytes(photo_of(scene(3000, 4000)), image_format="JPEG")
    ask(client, data, width=1024, height=1024)
    ask(client, data, width=64, height=64)
    assert annotator.seen == [(512, 512, 3), (64, 64, 3)]


BAD = {
    "no photo": ({"width": 64, "height": 64}, "missing_key", "'photo'"),
    "no size": ({"photo": "AAAA"}, "missing_key", "'width'"),
    "a file name": ({"path": "/etc/passwd"}, "unknown_key", "path"),
    "a text as size": ({"photo": "AAAA", "width": "64", "height": 64}, "bad_value", "width"),
    "no number": ({"photo": "AAAA", "width": 64, "height": True}, "bad_value", "height"),
    "a ribbon": ({"photo": "AAAA", "width": 32, "height": 257}, "bad_value", "8"),
    "a tiny map": ({"photo": "AAAA", "width": 64, "height": 1}, "label_map_too_small", "32"),
    "a huge map": ({"photo": "AAAA", "width": 5000, "height": 5000}, "label_map_too_large", ""),
    "a list": ({"photo": ["AAAA"], "width": 64, "height": 64}, "bad_value", "a list"),
    "not base64": ({"photo": "???", "width": 64, "height": 64}, "not_base64", "photo"),
    "no picture": ({"photo": "aGVsbG8=", "width": 64, "height": 64}, "not_an_image", "photo"),
}


@pytest.mark.parametrize("name", BAD)
def test_each_mistake_has_its_code_and_says_where(client, name):
    content, code, says = BAD[name]
    answer = client.post("/annotate", json=content)
    body = assert_error(answer, status=ERROR_CODES[code].status, code=code)
    assert says in body["msg"] and " object at 0x" not in body["msg"]


def test_a_cut_photo_is_refused(client):
    data = file_bytes(photo_of(scene()), image_format="JPEG")
    assert_error(ask(client, data[: len(data) // 2]), status=400, code="not_an_image")


def test_a_file_whose_reader_would_start_another_program_is_not_read(client, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", lambda *given, **options: pytest.fail("started"))
    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n"
    assert_error(ask(client, script), status=400, code="not_an_image")


@pytest.mark.parametrize("side", [5100, 7100, 14000, 60000])
def test_a_decompression_bomb_is_refused_by_its_header_without_unpacking_it(
    client, monkeypatch, side
):
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("unpacked"))
    bomb = hand_made_png(side, side, bits=8, kind=2, rows=b"")
    assert_error(ask(client, bomb), status=400, code="photo_too_large")


def test_photos_are_annotated_in_the_thread_in_which_the_painter_paints(client, annotator):
    with ThreadPoolExecutor(4) as pool:
        clients = [client.application.test_client() for _ in range(4)]
        answers = list(pool.map(lambda one: ask(one, photo_of(scene())), clients))
    assert all(answer.status_code == 200 for answer in answers)
    assert annotator.threads == {in_paddle_thread(threading.get_ident)}


def test_a_fault_of_the_annotator_is_a_500_and_the_next_photo_is_annotated(client, annotator):
    annotator.failure = RuntimeError("secret")
    assert (
        "secret"
        not in assert_error(ask(client, photo_of(scene())), status=500, code="internal")["msg"]
    )
    annotator.failure = None
    assert (ids_of(ask(client, photo_of(scene()))) == scene()).all()


def test_without_paddleseg_labels_say_so_and_photos_get_a_501(make_client, monkeypatch):
    monkeypatch.setattr(annotating.importlib.util, "find_spec", lambda name: None)
    client = make_client(paddleseg=True)
    assert client.get("/labels").get_json()["annotate"] is False
    body = assert_error(ask(client, photo_of(scene())), status=501, code="no_annotator")
    assert "pip install" in body["msg"]


def test_the_setting_switches_it_off(make_client):
    client = make_client(annotate="no")
    assert client.get("/labels").get_json()["annotate"] is False
    body = assert_error(ask(client, photo_of(scene())), status=501, code="no_annotator")
    assert "'annotate'" in body["msg"]
    assert make_client().get("/labels").get_json()["annotate"] is True


def test_another_method_and_another_type_are_refused_as_at_predict(client):
    assert_error(client.get("/annotate"), status=405, code="method_not_allowed")
    answer = client.post("/annotate", data="{}", content_type="text/plain")
    assert_error(answer, status=415, code="unsupported_media_type")
    answer = client.post("/annotate", data="{", content_type="application/json")
    assert '"photo"' in assert_error(answer, status=400, code="not_json")["msg"]


def test_a_service_that_has_annotated_nothing_has_not_loaded_paddle(processes):
    program = (
        "import sys\n"
        "from spade_paddle.serving.annotating import AnnotatingService\n"
        "from spade_paddle.serving.service import PaintService\n"
        "from spade_paddle.serving.settings import ServiceSettings\n"
        "painting = PaintService(load_painter=None, settings=ServiceSettings())\n"
        "assert AnnotatingService(painting).is_available\n"
        "assert not {'paddle', 'paddleseg', 'torch'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
