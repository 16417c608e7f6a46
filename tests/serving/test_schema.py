from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from spade_paddle.data.photos import ORIENTATION
from spade_paddle.errors import LabelMapError, RequestError, UserError
from spade_paddle.inference.limits import SizeLimits
from spade_paddle.serving.json_values import parse_json
from spade_paddle.serving.schema import read_orders
from tests.pictures import b64, file_bytes, png64, raw_labels, scene
from tests.serving.test_label_images import hand_made_png


@pytest.fixture
def painter(painter):
    painter.limits = SizeLimits(min_side=32, max_pixels=256 * 256)
    painter.styles = {}
    return painter


@pytest.fixture
def read(painter):
    return lambda content: read_orders(content, painter=painter, max_images=3)


@pytest.fixture
def refusal(read):
    def run(content) -> UserError:
        with pytest.raises((RequestError, LabelMapError)) as caught:
            read(content)
        return caught.value

    return run


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe\x00", b'{"seed": NaN}', b"[" * 100_000, b"1" * 10_000, b"hello"],
)
def test_a_body_that_is_not_json_is_refused(body):
    with pytest.raises(RequestError) as caught:
        parse_json(body, example="{}")
    assert caught.value.code in ("not_json", "json_not_object")


@pytest.mark.parametrize(
    ("body", "came"),
    [(b"[]", "a list"), (b"null", "null"), (b'"x"', "a string"), (b"3", "a number")],
)
def test_json_that_is_not_an_object_is_refused_and_says_what_came(body, came):
    with pytest.raises(RequestError, match=came) as caught:
        parse_json(body, example="{}")
    assert caught.value.code == "json_not_object"


def test_pngs_and_raw_ids_give_the_same_label_maps(read):
    ids = scene(48, 96)
    (from_png,) = read({"images": [png64(ids)]})
    (from_raw,) = read({"labels": [raw_labels(ids)]})
    assert np.array_equal(from_png.label_map, ids)
    assert np.array_equal(from_raw.label_map, ids)


def test_seed_and_format_have_defaults_and_null_means_not_given(read):
    (order,) = read({"images": [png64(scene())], "seed": None, "style": None, "format": None})
    assert (order.seed, order.style, order.image_format) == (None, None, "png")
    (order,) = read({"images": [png64(scene())], "seed": 2**32 - 1, "format": "jpeg"})
    assert (order.seed, order.image_format) == (2**32 - 1, "jpeg")


def test_a_canvas_data_url_and_wrapped_base64_are_accepted(read):
    text = png64(scene())
    wrapped = "\n".join(text[i : i + 76] for i in range(0, len(text), 76))
    for form in ("data:image/png;base64," + text, wrapped):
        (order,) = read({"images": [form]})
        assert order.label_map.shape == (64, 64)


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        ({}, "missing_key", "'images'"),
        ({"seed": 1}, "missing_key", "'seed'"),
        ({"image": ["x"]}, "unknown_key", "did you mean 'images'"),
        ({"images": ["x"], "output_dir": "/tmp"}, "unknown_key", "output_dir"),
        ({"images": ["x"], "self": 1}, "unknown_key", "self"),
        ({"images": ["x"], "\ud800": 1}, "unknown_key", "'?'"),
        ({"\ud800": 1, "images": ["x"]}, "unknown_key", "'?'"),
        ({"images": ["x"], "seed" * 10**6: 1}, "unknown_key", "seedseed"),
        ({"images": ["x"], "seed": 10**4000}, "bad_value", "a number"),
        ({"labels": [{"width": 10**4000, "height": 1, "data": "AA=="}]}, "bad_value", ".width"),
        ({"images": ["x"], "labels": [{}]}, "bad_value", "either"),
        ({"images": "x"}, "bad_value", "a list of 1 to 3"),
        ({"images": []}, "bad_value", "an empty list"),
        ({"images": ["x"] * 4}, "bad_value", "4"),
        ({"images": [1]}, "bad_value", "images[0]"),
        ({"images": ["%%%"]}, "not_base64", "images[0]"),
        ({"images": ["abc"]}, "not_base64", "images[0]"),
        ({"images": [""]}, "not_base64", "empty"),
        ({"images": ["é"]}, "not_base64", "images[0]"),
        ({"images": ["aGVsbG8="]}, "not_an_image", "images[0]"),
        ({"images": ["x"], "seed": "1"}, "bad_value", "seed"),
        ({"images": ["x"], "seed": True}, "bad_value", "seed"),
        ({"images": ["x"], "seed": -1}, "bad_value", "seed"),
        ({"images": ["x"], "seed": 1.5}, "bad_value", "seed"),
        ({"images": ["x"], "format": "gif"}, "bad_value", "format"),
        ({"images": ["x"], "format": ["png"]}, "bad_value", "format"),
        ({"images": ["x"], "edges": "round"}, "bad_value", "'drawn' or 'natural'"),
        ({"images": ["x"], "edges": {}}, "bad_value", "edges"),
        ({"images": ["x"], "style": "aGVsbG8="}, "no_styles", "style"),
        ({"images": ["x"], "style_name": "dusk"}, "style_unknown", "leave 'style_name' out"),
        ({"images": ["x"], "style_name": 3}, "bad_value", "style_name"),
        ({"images": ["x"], "style_name": "a", "style": "b"}, "bad_value", "either"),
        ({"labels": {}}, "bad_value", "labels"),
        ({"labels": [7]}, "bad_value", "labels[0]"),
        ({"labels": [{"width": 32, "height": 32}]}, "missing_key", "'data'"),
        ({"labels": [{"w": 1}]}, "unknown_key", "labels[0]"),
        ({"labels": [{"width": "32", "height": 32, "data": "AA=="}]}, "bad_value", ".width"),
        ({"labels": [{"width": 32, "height": -1, "data": "AA=="}]}, "bad_value", ".height"),
        ({"labels": [{"width": 32, "height": 32, "data": "AA=="}]}, "label_map_shape", "1024"),
        (
            {"labels": [{"width": 10**9, "height": 10**9, "data": "AA=="}]},
            "label_map_too_large",
            "",
        ),
        ({"labels": [{"width": 1, "height": 1, "data": "AA=="}]}, "label_map_too_small", "32"),
    ],
)
def test_each_mistake_has_its_code_and_says_where(refusal, content, code, says):
    error = refusal(content)
    assert error.code == code
    assert says in str(error)


def test_raw_ids_the_label_set_lacks_are_refused(refusal):
    error = refusal({"labels": [raw_labels(scene(top=200))]})
    assert (error.code, error.details["ids"]) == ("label_unknown", [200])


def test_a_mistake_in_the_second_map_names_the_second_map(refusal):
    assert "images[1]" in str(refusal({"images": [png64(scene()), "aGVsbG8="]}))


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
def test_a_style_photo_is_read_upright_and_may_be_larger_than_a_label_map(
    painter, read, image_format
):
    lying = np.zeros((1200, 1600, 3), np.uint8)
    lying[:, 800:] = 255
    exif = Image.Exif()
    exif[ORIENTATION] = 8  # turn left: then the right half is above
    style = b64(file_bytes(lying, image_format=image_format, exif=exif.tobytes()))
    painter.has_styles = True
    (order,) = read({"images": [png64(scene())], "style": style})
    photo = order.style
    assert photo.dtype == np.uint8 and photo.shape[2] == 3
    assert 512 <= photo.shape[1] < photo.shape[0] <= 1024
    middle = photo.shape[0] // 2
    assert photo[: middle - 8].min() > 250 and photo[middle + 8 :].max() < 5


def test_a_gray_style_photo_is_read_as_rgb(painter, read):
    painter.has_styles = True
    content = {"images": [png64(scene())], "style": b64(file_bytes(scene()))}
    (order,) = read(content)
    assert order.style.shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"hello", "not_an_image"),
        (file_bytes(scene())[:-60], "not_an_image"),
        (hand_made_png(8000, 8000, bits=8, kind=2, rows=b""), "photo_too_large"),
    ],
)
def test_a_style_that_is_no_photo_is_refused(painter, read, data, code):
    painter.has_styles = True
    with pytest.raises(RequestError, match=r"^style: ") as caught:
        read({"images": [png64(scene())], "style": b64(data)})
    assert caught.value.code == code


def test_a_style_may_be_named_and_an_unknown_name_is_answered_with_the_known_ones(painter, read):
    painter.styles = {"bright": np.zeros(4), "sunset": np.ones(4)}
    (order,) = read({"images": [png64(scene())], "style_name": "sunset"})
    assert order.style == "sunset"
    with pytest.raises(RequestError, match=r"'dusk'|\"dusk\".*bright, sunset") as caught:
        read({"images": [png64(scene())], "style_name": "dusk"})
    assert caught.value.code == "style_unknown"
    assert caught.value.details == {"known": ["bright", "sunset"]}


def test_a_style_comes_back_as_the_numbers_that_an_answer_had(painter, read):
    painter.style_dim = 3
    content = {"images": [png64(scene())], "style_vector": [0.5, -1, 2.25]}
    (order,) = read(content)
    style = order.style
    assert style.dtype == np.float32 and style.tolist() == [0.5, -1, 2.25]


@pytest.mark.parametrize(
    "vector", [[1, 2], [1, 2, 3, 4], [1, 2, "3"], [1, 2, True], [1, 2, 1e9], "1,2,3", [[1, 2, 3]]]
)
def test_numbers_that_are_no_style_are_refused(painter, read, vector):
    painter.style_dim = 3
    with pytest.raises(RequestError, match=r"style_vector: expected 3 numbers") as caught:
        read({"images": [png64(scene())], "style_vector": vector})
    assert caught.value.code == "bad_value"


def test_one_style_only_and_none_for_a_model_without(read):
    content = {"images": [png64(scene())], "style_vector": [1, 2, 3]}
    with pytest.raises(RequestError) as caught:
        read(content)
    assert caught.value.code == "no_styles"
    with pytest.raises(RequestError, match="either 'style_name' or 'style_vector'"):
        read({**content, "style_name": "bright"})
