"""People who paint, for locust: each sends one doodle after the other, with no pause.

Every doodle differs from all others, so no cache helps. "busy" (503) is counted apart, under a name
of its own, and whoever gets it waits as long as Retry-After says, as the page does.
``tools/load.py`` runs this for 1, 8 and 64 people; by itself:

    .venv/bin/locust -f tests/load/locustfile.py --headless -u 8 -t 60s -H http://127.0.0.1:8866
"""

from __future__ import annotations

import base64
import os
import random
import time

from locust import HttpUser, constant, task

SIDE = int(os.environ.get("LOAD_SIDE", "256"))
TOKEN = os.environ.get("GAUGAN_API_TOKEN", "")


def doodle(randomness: random.Random) -> bytes:
    """Ids, row by row: a sky over some land, with a few patches anywhere."""
    horizon = randomness.randrange(SIDE // 4, 3 * SIDE // 4)
    ids = bytearray(b"\x01" * horizon * SIDE + b"\x06" * (SIDE - horizon) * SIDE)
    for _ in range(8):
        label = bytes([randomness.randrange(1, 9)])
        top, left = randomness.randrange(SIDE - 16), randomness.randrange(SIDE - 16)
        for row in range(top, top + 16):
            ids[row * SIDE + left : row * SIDE + left + 16] = label * 16
    return bytes(ids)


class Painter(HttpUser):
    """One person."""

    wait_time = constant(0)

    def on_start(self) -> None:
        self._randomness = random.Random()

    @task
    def paint(self) -> None:
        data = base64.b64encode(doodle(self._randomness)).decode("ascii")
        content = {
            "labels": [{"width": SIDE, "height": SIDE, "data": data}],
            "seed": self._randomness.randrange(2**32),
            "format": "jpeg",
        }
        headers = {"Authorization": f"Bearer {TOKEN}"} if TOKEN else {}
        with self.client.post(
            "/predict/gaugan_doodle", json=content, headers=headers, catch_response=True
        ) as answer:
            if answer.status_code == 503:
                answer.request_meta["name"] = "busy"
                answer.success()
            elif answer.status_code != 200:
                answer.failure(f"{answer.status_code}: {answer.text[:200]}")
            elif not answer.json()["results"][0]["image"]:
                answer.failure("no picture")
        if answer.status_code == 503:  # out here: within the block it is not counted yet
            time.sleep(float(answer.headers["Retry-After"]))
