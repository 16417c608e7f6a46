from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from threading import get_ident
from types import SimpleNamespace

import numpy as np
import pytest

from spade_paddle.errors import LabelMapError, RequestError
from spade_paddle.inference.limits import SizeLimits
from spade_paddle.inference.natural_edges import natural_edges
from spade_paddle.inference.paddle_thread import in_paddle_thread
from spade_paddle.serving.service import PaintService
from spade_paddle.serving.settings import ServiceSettings
from tests.pictures import open64, png64, raw_labels, scene
from tests.serving.conftest import wait_until


@pytest.fixture
def service(painter):
    return PaintService(load_painter=lambda: painter, settings=ServiceSettings(queue_length=2))


def test_an_answer_holds_the_painted_picture_and_says_what_was_asked(service, label_set):
    ids = scene(64, 96)
    (result,) = service.paint_json({"images": [png64(ids)], "seed": 7})
    picture = open64(result["image"])
    assert (picture.format, picture.size) == ("PNG", (96, 64))
    assert np.array_equal(np.asarray(picture), label_set.colorize(ids))
    assert (result["width"], result["height"], result["seed"]) == (96, 64, 7)
    assert result["notes"] == [] and isinstance(result["milliseconds"], int)


def test_jpeg_is_given_when_it_is_asked_for(service):
    (result,) = service.paint_json({"images": [png64(scene())], "format": "jpeg"})
    assert (open64(result["image"]).format, result["format"]) == ("JPEG", "jpeg")


def test_natural_edges_are_given_when_they_are_asked_for(service, label_set):
    ids = scene(64, 96)
    drawn, natural, other = (
        np.asarray(open64(result["image"]))
        for given in ({}, {"edges": "natural"}, {"edges": "natural", "seed": 5})
        for result in service.paint_json({"images": [png64(ids)], **given})
    )
    assert np.array_equal(drawn, label_set.colorize(ids))
    assert np.array_equal(natural, label_set.colorize(natural_edges(ids, label_set)))
    assert np.array_equal(other, label_set.colorize(natural_edges(ids, label_set, seed=5)))
    assert np.array_equal(service.paint_array(ids, edges="natural", seed=5), other)
    with pytest.raises(RequestError, match="edges: expected 'drawn' or 'natural'"):
        service.paint_array(ids, edges="round")


def test_a_size_that_is_not_a_multiple_is_painted_with_a_note(service):
    (result,) = service.paint_json({"images": [png64(scene(50, 64))]})
    (note,) = result["notes"]
    assert (note["code"], note["padded_height"], note["padded_width"]) == ("padded", 64, 64)
    assert open64(result["image"]).size == (64, 50)


def test_several_maps_are_answered_in_their_order(service, label_set):
    maps = [scene(top=top) for top in (1, 3, 5)]
    results = service.paint_json({"images": [png64(ids) for ids in maps]})
    for ids, result in zip(maps, results):
        assert np.array_equal(np.asarray(open64(result["image"])), label_set.colorize(ids))


def test_only_one_picture_is_painted_at_a_time(painter):
    service = PaintService(load_painter=lambda: painter, settings=ServiceSettings(queue_length=100))
    with ThreadPoolExecutor(16) as pool:
        bodies = [{"images": [png64(scene())], "seed": seed} for seed in range(40)]
        answers = [pool.submit(service.paint_json, body) for body in bodies]
        assert all(len(answer.result()) == 1 for answer in answers)
    assert (painter.painted, painter.most_inside) == (40, 1)


def test_it_paints_in_the_thread_of_paddle(service, painter):
    threads, real = [], painter.paint
    painter.paint = lambda *given, **named: threads.append(get_ident()) or real(*given, **named)
    service.paint_json({"images": [png64(scene())]})
    service.paint_array(scene())
    assert threads == [in_paddle_thread(get_ident)] * 2


def test_callers_beyond_the_queue_are_refused_at_once_and_the_others_get_pictures(service, painter):
    painter.go_on.clear()
    refused = threading.Semaphore(0)

    def ask(seed: int) -> str:
        try:
            service.paint_json({"images": [png64(scene())], "seed": seed})
            return "painted"
        except RequestError as error:
            refused.release()
            return error.code

    with ThreadPoolExecutor(10) as pool:
        answers = [pool.submit(ask, seed) for seed in range(10)]
        for _ in range(7):  # one paints, two wait, seven go while the painter is held
            assert refused.acquire(timeout=30)
        painter.go_on.set()
        outcomes = sorted(answer.result() for answer in answers)
    assert outcomes == ["busy"] * 7 + ["painted"] * 3


def test_an_equal_request_is_answered_from_memory_and_says_so(service, painter):
    body = {"labels": [raw_labels(scene())], "seed": 3}
    (first,) = service.paint_json(body)
    (again,) = service.paint_json({"images": [png64(scene())], "seed": 3})  # the same ids
    assert (first["cached"], again["cached"], painter.painted) == (False, True, 1)
    assert again["image"] == first["image"] and again["milliseconds"] == first["milliseconds"]


def test_without_memory_an_equal_request_is_painted_again(painter):
    service = PaintService(load_painter=lambda: painter, settings=ServiceSettings(cache_mib=0))
    for painted in (1, 2):
        (result,) = service.paint_json({"images": [png64(scene())]})
        assert (result["cached"], painter.painted) == (False, painted)


def test_the_maps_of_a_request_are_painted_as_one_batch_when_the_settings_allow_it(
    painter, label_set
):
    settings = ServiceSettings(batch_size=4)
    service = PaintService(load_painter=lambda: painter, settings=settings)
    painter.go_on.clear()
    maps = [scene(top=top) for top in (1, 2, 3, 4)]
    body = {"images": [png64(ids) for ids in maps]}
    with ThreadPoolExecutor(2) as pool:
        held = pool.submit(service.paint_array, scene(top=5))
        wait_until(lambda: painter.inside)
        answer = pool.submit(service.paint_json, body)
        wait_until(lambda: b"gaugan_queue_length 4.0" in service.metrics.text())
        painter.go_on.set()
        results = answer.result()
        held.result()
    assert painter.batches == [4]
    for ids, result in zip(maps, results):
        assert np.array_equal(np.asarray(open64(result["image"])), label_set.colorize(ids))


def test_a_failed_picture_frees_the_painter_for_the_next(service, painter):
    painter.failure = RuntimeError("out of memory")
    for _ in range(5):
        with pytest.raises(RuntimeError):
            service.paint_json({"images": [png64(scene())]})
    painter.failure = None
    assert service.paint_json({"images": [png64(scene())]})


def test_the_lower_of_the_painters_and_the_services_limits_holds(painter):
    painter.limits = SizeLimits(min_side=32, max_pixels=64 * 64)
    service = PaintService(
        load_painter=lambda: painter, settings=ServiceSettings(max_pixels=128 * 128)
    )
    assert service.describe()["limits"]["max_pixels"] == 64 * 64


@pytest.mark.parametrize(
    "label_map", [np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64)), np.full((64, 64), 99)]
)
def test_the_python_api_checks_its_label_map_too(service, label_map):
    with pytest.raises(LabelMapError):
        service.paint_array(label_map)


def test_the_python_api_takes_any_integers_and_gives_rgb(service):
    image = service.paint_array(scene().astype(np.int64), seed=1)
    assert image.shape == (64, 64, 3) and image.dtype == np.uint8


def test_the_painter_is_loaded_once_and_only_when_it_is_first_needed(painter):
    loads = []
    service = PaintService(
        load_painter=lambda: loads.append(1) or painter, settings=ServiceSettings()
    )
    assert (loads, service.is_ready) == ([], False)  # a parent of worker processes stays here
    service.warm_up()
    service.paint_array(scene())
    assert (loads, service.is_ready) == ([1], True)


def test_a_named_style_reaches_the_painter_and_the_model_tells_its_names(service, painter):
    painter.styles = {"bright": np.zeros(4), "sunset": np.ones(4)}
    painter.has_seeds = True
    model = service.describe()["model"]
    assert (model["styles"], model["style_photo"], model["seed"]) == (
        ["bright", "sunset"],
        False,
        True,
    )
    service.paint_json({"images": [png64(scene())], "style_name": "sunset"})
    service.paint_json({"images": [png64(scene())]})
    service.paint_array(scene(), style="bright")
    assert painter.asked_styles == ["sunset", None, "bright"]


@pytest.mark.parametrize("max_pixels, is_told", [(128 * 128, True), (128 * 128 - 1, False)])
def test_a_model_for_large_pictures_is_told_if_the_pages_large_doodles_are_accepted(
    painter, max_pixels, is_told
):
    painter.large = SimpleNamespace(version="5", height=130, width=140)
    settings = ServiceSettings(max_pixels=max_pixels)
    model = PaintService(load_painter=lambda: painter, settings=settings).describe()["model"]
    assert model["large"] == ({"version": "5", "height": 130, "width": 140} if is_told else None)


def test_the_style_that_the_model_chose_is_told_and_paints_another_map_in_it(service, painter):
    painter.style_dim = 2
    painter.chosen_style = lambda label_map, seed: np.array([0.123456, label_map[0, 0]], np.float32)
    first = service.paint_json({"images": [png64(scene())]})[0]["style_vector"]
    assert first == [0.1235, scene()[0, 0]]
    again = service.paint_json({"images": [png64(scene(top=2))], "style_vector": first})
    assert np.allclose(painter.asked_styles[-1], first)
    assert "style_vector" not in again[0]  # whoever asked for it has it


def test_a_model_without_styles_tells_none(service):
    assert "style_vector" not in service.paint_json({"images": [png64(scene())]})[0]
