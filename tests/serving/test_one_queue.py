"""Pictures to paint and photos to annotate wait in one queue, by the same rules."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from spade_paddle.serving import annotating
from spade_paddle.serving.annotating import SentPhoto
from tests.pictures import png64, scene
from tests.serving.conftest import wait_until
from tests.serving.test_annotating import ask, photo_of
from tests.serving.test_app import assert_error, paint
from tests.serving.test_observing import counts


@pytest.fixture
def pool():
    with ThreadPoolExecutor(16) as pool:
        yield pool


class Line:
    """A service whose thread of Paddle is held, and what waits for it."""

    def __init__(self, client, pool) -> None:
        self.app = client.application
        self.pool = pool
        self.waiting = 0

    def client(self):
        return self.app.test_client()

    def number(self, name: str) -> float:
        return counts(self.client())[name,]

    def paint(self, seed: int = 0, *, address: str = "1.1.1.1", gone=None):
        content = {"images": [png64(scene())], "seed": seed}
        return self._enter(lambda client: paint(client, content), address, gone)

    def annotate(self, *, address: str = "1.1.1.1", gone=None):
        return self._enter(lambda client: ask(client, photo_of(scene())), address, gone)

    def _enter(self, send, address: str, gone):
        client = self.client()
        client.environ_base["REMOTE_ADDR"] = address
        if gone is not None:
            client.environ_base["waitress.client_disconnected"] = gone
        return self.pool.submit(send, client)

    def wait_for(self, length: int) -> None:
        wait_until(lambda: self.number("gaugan_queue_length") == length)


@pytest.fixture
def hold(make_client, annotator, pool):
    """A line behind a photo that is being annotated: hold(**settings)."""

    def make(**settings) -> Line:
        line = Line(make_client(**settings), pool)
        annotator.go_on.clear()
        line.first = line.annotate(address="9.9.9.9")
        assert annotator.entered.wait(30)
        return line

    yield make
    annotator.go_on.set()


def is_busy(answer) -> bool:
    assert_error(answer, status=503, code="busy")
    return int(answer.headers["Retry-After"]) > 0


def test_a_photo_that_waits_takes_a_place_of_the_painters_and_the_other_way_round(hold, annotator):
    line = hold(queue_length=2)
    waiting = [line.annotate(), line.paint()]
    line.wait_for(2)
    assert is_busy(line.paint(1).result(30)) and is_busy(line.annotate().result(30))
    annotator.go_on.set()
    assert [one.result().status_code for one in (line.first, *waiting)] == [200] * 3


def test_a_photo_waits_while_a_picture_is_painted(make_client, painter, pool):
    line = Line(make_client(queue_length=1), pool)
    painter.go_on.clear()
    first = line.paint()
    wait_until(lambda: painter.inside == 1)
    photo = line.annotate()
    line.wait_for(1)
    assert is_busy(line.annotate().result(30))
    painter.go_on.set()
    assert [first.result().status_code, photo.result().status_code] == [200, 200]


def test_an_address_with_many_photos_gives_way_to_one_that_paints(hold, annotator):
    line = hold(queue_length=3)
    greedy = []
    for length in (1, 2, 3):
        greedy.append(line.annotate(address="greedy"))
        line.wait_for(length)
    modest = line.paint(address="modest")
    assert is_busy(greedy[2].result(30))
    annotator.go_on.set()
    assert [one.result().status_code for one in (*greedy[:2], modest)] == [200] * 3


def test_an_address_with_few_photos_is_served_between_those_of_another(
    hold, annotator, painter, label_set
):
    line = hold()
    seen = []
    usual = annotator.annotate

    def noted(photo):
        seen.append("photo")
        return usual(photo)

    annotator.annotate = noted
    photos = []
    for length in (1, 2, 3):
        photos.append(line.annotate(address="greedy"))
        line.wait_for(length)
    colorize = label_set.colorize
    painter.label_set = type("Noted", (), {"__getattr__": lambda self, n: getattr(label_set, n)})()
    painter.label_set.colorize = lambda ids: (seen.append("picture"), colorize(ids))[1]
    picture = line.paint(address="modest")
    line.wait_for(4)
    annotator.go_on.set()
    assert all(one.result().status_code == 200 for one in (*photos, picture))
    assert seen == ["photo", "picture", "photo", "photo"]


def test_who_waits_too_long_for_a_photo_or_behind_one_is_told_busy(hold):
    line = hold(max_wait_seconds=1)
    assert is_busy(line.paint().result(30)) and is_busy(line.annotate().result(30))


def test_a_photo_whose_client_has_gone_is_neither_unpacked_nor_annotated(
    hold, annotator, monkeypatch
):
    line = hold()
    left = line.annotate(gone=lambda: True)
    staying = line.annotate()
    line.wait_for(2)
    unpacked = []
    read = annotating.read_sent_photo
    monkeypatch.setattr(
        annotating, "read_sent_photo", lambda *a, **k: (unpacked.append(1), read(*a, **k))[1]
    )
    annotator.go_on.set()
    assert [left.result().status_code, staying.result().status_code] == [499, 200]
    assert len(annotator.seen) == 2 and unpacked == [1]


def test_a_photo_that_waits_is_not_unpacked_before_its_turn(hold, annotator):
    line = hold()
    broken = line.pool.submit(ask, line.client(), b"no photo")
    line.wait_for(1)
    assert not broken.done()
    annotator.go_on.set()
    assert_error(broken.result(), status=400, code="not_an_image")


def test_equal_photos_are_annotated_each_time_and_counted(client, annotator):
    for _ in range(2):
        assert ask(client, photo_of(scene())).status_code == 200
    assert len(annotator.seen) == 2
    assert counts(client)["gaugan_annotating_seconds_count",] == 2
    assert counts(client)["gaugan_pictures_total",] == 0


def test_photos_are_never_done_in_one_batch(hold, annotator):
    assert SentPhoto(b"", 64, 64).batch != SentPhoto(b"", 64, 64).batch
    line = hold(batch_size=4)
    others = [line.annotate(), line.paint(), line.annotate()]
    line.wait_for(3)
    annotator.go_on.set()
    assert all(one.result().status_code == 200 for one in (line.first, *others))


@pytest.mark.parametrize(
    ("size", "pixels"),
    [
        ((64, 64), 64 * 64),
        ((1024, 1024), 512 * 512),
        ((64, 32), 64 * 32),
        ((600, 1200), 512 * 1024),
    ],
)
def test_a_photo_costs_the_pixels_that_the_annotator_looks_at(size, pixels):
    width, height = size
    assert SentPhoto(b"", width, height).pixels == pixels
