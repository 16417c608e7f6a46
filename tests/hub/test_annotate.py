"""Photos become doodles in the real service, beside the painting."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import requests

from tests.pictures import b64, file_bytes, open64, raw_labels, scene


def lake_photo(seed: int = 0, *, height: int = 300, width: int = 400) -> np.ndarray:
    """A blue sky above a green meadow, with the noise of a camera."""
    photo = np.empty((height, width, 3))
    photo[: height // 2] = (110, 165, 225)
    photo[height // 2 :] = (85, 130, 40)
    noise = np.random.default_rng(seed).normal(0, 12, photo.shape)
    return np.clip(photo + noise, 0, 255).astype(np.uint8)


def body_of(photo: np.ndarray, *, width: int = 256, height: int = 192) -> dict:
    data = b64(file_bytes(photo, image_format="JPEG"))
    return {"photo": data, "width": width, "height": height}


def ask(server, path: str, content: dict) -> requests.Response:
    return requests.post(server.url + path, json=content, timeout=300, proxies={"http": ""})


def test_the_doodle_of_a_photo_can_be_painted(server, label_set):
    assert server.get("/labels").json()["annotate"] is True
    answer = ask(server, "/annotate", body_of(lake_photo()))
    assert answer.status_code == 200, answer.text
    (result,) = answer.json()["results"]
    ids = np.frombuffer(base64.b64decode(result["data"]), np.uint8).reshape(192, 256)
    upper = {label_set.id_of(name) for name in ("sky", "cloud")}
    assert np.isin(ids[:80], list(upper)).mean() > 0.7
    assert not np.isin(ids[112:], list(upper)).mean() > 0.3
    painted = ask(server, "/predict/gaugan_doodle", {"labels": [raw_labels(ids)]})
    assert open64(painted.json()["results"][0]["image"]).size == (256, 192)


def test_fifty_alternating_requests_from_four_threads_give_what_each_gives_alone(server):
    photos = [body_of(lake_photo(seed)) for seed in range(5)]
    maps = [{"labels": [raw_labels(scene(64, 64, top=top))]} for top in range(1, 6)]
    bodies = [
        ("/annotate", photos[k // 2 % 5]) if k % 2 else ("/predict/gaugan_doodle", maps[k // 2 % 5])
        for k in range(50)
    ]

    def content_of(index: int) -> str:
        answer = ask(server, *bodies[index])
        assert answer.status_code == 200, answer.text
        (result,) = answer.json()["results"]
        return result.get("image") or result["data"]

    alone = [content_of(index) for index in range(10)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(content_of, range(50)))
    assert len(set(alone)) == 10
    for index, content in enumerate(together):
        assert content == alone[index % 10], f"request {index}: {bodies[index][0]}"
