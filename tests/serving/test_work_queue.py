from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from spade_paddle.errors import LabelMapError, RequestError
from spade_paddle.inference import paddle_thread
from spade_paddle.serving.orders import Order, Picture
from spade_paddle.serving.prometheus_metrics import Metrics
from spade_paddle.serving.work_queue import Client, ClientGone, WorkQueue
from tests.pictures import b64, open64, scene
from tests.serving import conftest


class HeldPainter:
    """Paints gray; waits before each batch until ``go_on`` is set and tells by ``begun``."""

    def __init__(self) -> None:
        self.batches: list[list[Order]] = []
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.refused: Order | None = None

    def __call__(self, orders):
        self.batches.append(list(orders))
        self.begun.release()
        assert self.go_on.wait(30), "the test did not let the painter go on"
        if self.refused in orders:
            raise LabelMapError("not this one")
        return [
            Picture(
                np.repeat(order.label_map[..., None], 3, axis=2),
                image_format=order.image_format,
                seconds=0.1,
            )
            for order in orders
        ]

    def wait_until_begun(self) -> None:
        assert self.begun.acquire(timeout=30)


class HeldQueue(WorkQueue):
    """One whose tasks the held painter does."""

    def __init__(self, painter: HeldPainter, **options) -> None:
        super().__init__(**options)
        self._painter = painter

    def paint(self, orders, *, client: Client | None = None):
        return self.do(orders, self._painter, client=client)


@pytest.fixture
def painter():
    return HeldPainter()


@pytest.fixture
def pool():
    with ThreadPoolExecutor(40) as pool:
        yield pool


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def make_queue(painter, metrics):
    def make(**options):
        options = {"length": 8, "max_wait_seconds": 30, "cache_bytes": 10**6, **options}
        return HeldQueue(painter, metrics=lambda: metrics, **options)

    return make


def order(top: int = 1, *, side: int = 64, **options) -> Order:
    return Order(scene(side, side, top=top), **options)


def value(metrics: Metrics, name: str) -> float:
    lines = metrics.text().decode().splitlines()
    return float(next(line for line in lines if line.startswith(name + " ")).split()[-1])


def wait_until(metrics: Metrics, name: str, wanted: float) -> None:
    """Until a metric has a value; other threads are on their way to make it so."""
    conftest.wait_until(lambda: value(metrics, name) == wanted)


@pytest.mark.parametrize(
    ("options", "same"),
    [
        ({}, True),
        ({"top": 2}, False),
        ({"side": 96}, False),
        ({"seed": 0}, False),  # no seed chooses a style otherwise than seed 0 does
        ({"seed": 1}, False),
        ({"style": "bright"}, False),
        ({"style": np.zeros((8, 8, 3), np.uint8)}, False),
        ({"image_format": "jpeg"}, False),
    ],
)
def test_orders_are_equal_when_all_that_makes_the_file_is_equal(options, same):
    assert (order(**options).key == order().key) is same


def test_maps_of_equal_bytes_and_other_sizes_and_photos_of_other_pixels_are_other_orders():
    flat = np.ones((64, 64), np.uint8)
    assert Order(flat).key != Order(flat.reshape(32, 128)).key
    photos = [np.full((8, 8, 3), level, np.uint8) for level in (0, 1)]
    first, second = (Order(flat, style=photo).key for photo in photos)
    assert first != second
    assert Order(flat[:, ::-1], style=photos[0][:, ::-1]).key == first  # views are read as shown


def test_an_equal_order_is_answered_from_memory_with_the_same_file(make_queue, painter, metrics):
    painter.go_on.set()
    queue = make_queue()
    ((first, known),) = queue.paint([order()])
    ((again, known_again),) = queue.paint([order()])
    assert (known, known_again, len(painter.batches)) == (False, True, 1)
    assert again.file() is first.file()
    assert np.array_equal(np.asarray(open64(b64(again.file())))[..., 0], scene())
    assert value(metrics, "gaugan_cache_hits_total") == 1


def test_the_memory_forgets_what_was_not_asked_for_longest_and_what_is_too_large(
    make_queue, painter
):
    painter.go_on.set()
    two_pictures = 2 * 64 * 64 * 3
    queue = make_queue(cache_bytes=two_pictures)
    known = [queue.paint([order(top)])[0][1] for top in (1, 2, 1, 3, 1, 2)]
    assert known == [False, False, True, False, True, False]
    known = [queue.paint([order(1, side=128)])[0][1] for _ in range(2)]
    assert known == [False, False]


def test_without_memory_equal_orders_are_painted_each_time_even_at_once(
    make_queue, painter, metrics, pool
):
    queue = make_queue(cache_bytes=0)
    answers = [pool.submit(queue.paint, [order()]) for _ in range(3)]
    painter.wait_until_begun()
    wait_until(metrics, "gaugan_queue_length", 2)
    painter.go_on.set()
    assert [answer.result()[0][1] for answer in answers] == [False] * 3
    assert len(painter.batches) == 3


def test_an_order_that_is_just_being_painted_or_waits_is_joined_even_by_a_full_queue(
    make_queue, painter, metrics, pool
):
    queue = make_queue(length=1)
    first = pool.submit(queue.paint, [order(1)])
    painter.wait_until_begun()
    waiting = pool.submit(queue.paint, [order(2)])
    wait_until(metrics, "gaugan_queue_length", 1)
    with pytest.raises(RequestError):
        queue.paint([order(3)])
    joined = [pool.submit(queue.paint, [order(top)]) for top in (1, 2, 2)]
    wait_until(metrics, "gaugan_joined_total", 3)
    painter.go_on.set()
    assert [one.result()[0][1] for one in (first, waiting, *joined)] == [False] * 2 + [True] * 3
    assert len(painter.batches) == 2
    assert joined[0].result()[0][0] is first.result()[0][0]


def test_equal_maps_of_one_request_are_painted_once(make_queue, painter):
    painter.go_on.set()
    answers = make_queue(length=0).paint([order(1), order(2), order(1)])
    assert [known for _, known in answers] == [False, False, True]
    assert answers[0][0] is answers[2][0]
    assert len(painter.batches) == 2


def test_a_full_queue_refuses_with_a_time_estimated_from_what_waits(
    make_queue, painter, metrics, pool
):
    queue = make_queue(length=2)
    queue._update_speed(2.0 / (64 * 64))  # 2 s for a picture of this size
    answers = [pool.submit(queue.paint, [order(1)])]
    painter.wait_until_begun()
    answers += [pool.submit(queue.paint, [order(top), order(top + 1)]) for top in (2, 4)]
    wait_until(metrics, "gaugan_queue_length", 4)
    with pytest.raises(RequestError) as caught:
        queue.paint([order(9)])
    assert caught.value.code == "busy"
    assert caught.value.details["retry_after_seconds"] == 5 * 2  # one is painted, four wait
    painter.go_on.set()
    assert [len(answer.result()) for answer in answers] == [1, 2, 2]
    queue.paint([order(9)])


def test_one_second_is_the_least_time_to_wait(make_queue, painter, pool):
    queue = make_queue(length=0)
    answer = pool.submit(queue.paint, [order(1)])
    painter.wait_until_begun()
    with pytest.raises(RequestError) as caught:
        queue.paint([order(2)])
    assert caught.value.details["retry_after_seconds"] == 1
    painter.go_on.set()
    answer.result()


def test_the_mean_time_follows_what_is_painted(make_queue):
    queue = make_queue()
    for _ in range(50):
        queue._update_speed(3.0)
    assert queue._seconds_per_pixel == pytest.approx(3.0)
    for _ in range(50):
        queue._update_speed(1.0)
    assert queue._seconds_per_pixel == pytest.approx(1.0, rel=0.01)


def test_who_waited_too_long_is_told_busy_and_what_nobody_waits_for_is_not_painted(
    make_queue, painter, metrics, pool
):
    queue = make_queue(max_wait_seconds=0.01)
    held = pool.submit(queue.paint, [order(1)])
    painter.wait_until_begun()
    with pytest.raises(RequestError, match=r"0\.01 seconds") as caught:
        queue.paint([order(2)])
    assert caught.value.code == "busy" and caught.value.details["retry_after_seconds"] >= 1
    assert value(metrics, "gaugan_queue_length") == 0
    with pytest.raises(RequestError):  # its picture is painted on, for those who ask again
        held.result()
    painter.go_on.set()
    paddle_thread.in_paddle_thread(lambda: None)
    assert [known for _, known in queue.paint([order(1)])] == [True]
    assert len(painter.batches) == 1


def test_a_client_that_has_gone_away_costs_no_painting_unless_another_wants_the_picture(
    make_queue, painter, metrics, pool
):
    queue = make_queue()
    gone = threading.Event()
    here = lambda: not gone.is_set()  # noqa: E731
    answers = [pool.submit(queue.paint, [order(1)])]
    painter.wait_until_begun()
    lonely = pool.submit(queue.paint, [order(2)], client=Client(here))
    shared = pool.submit(queue.paint, [order(3)], client=Client(here))
    wait_until(metrics, "gaugan_queue_length", 2)
    answers.append(pool.submit(queue.paint, [order(3)]))
    wait_until(metrics, "gaugan_joined_total", 1)
    gone.set()
    painter.go_on.set()
    with pytest.raises(ClientGone):
        lonely.result()
    assert all(answer.result() for answer in [*answers, shared])
    assert [batch[0].label_map[0, 0] for batch in painter.batches] == [1, 3]


def test_places_of_clients_that_have_gone_are_given_to_others(make_queue, painter, metrics, pool):
    queue = make_queue(length=1)
    gone = threading.Event()
    first = pool.submit(queue.paint, [order(1)])
    painter.wait_until_begun()
    left = pool.submit(queue.paint, [order(2)], client=Client(lambda: not gone.is_set()))
    wait_until(metrics, "gaugan_queue_length", 1)
    with pytest.raises(RequestError):
        queue.paint([order(3)])
    gone.set()
    third = pool.submit(queue.paint, [order(3)])
    with pytest.raises(ClientGone):
        left.result(30)
    painter.go_on.set()
    assert first.result() and third.result()


def painted_in_turn(queue, painter, metrics, pool, requests) -> list[int]:
    """Tops of the maps in the order in which they are painted; requests: address, side and tops."""
    first = pool.submit(queue.paint, [order(0)])
    painter.wait_until_begun()
    answers = []
    for count, (address, side, *tops) in enumerate(requests, start=1):
        orders = [order(top, side=side) for top in tops]
        answers.append(pool.submit(queue.paint, orders, client=Client(address=address)))
        total = sum(len(request) - 2 for request in requests[:count])
        wait_until(metrics, "gaugan_queue_length", total)
    painter.go_on.set()
    for answer in [first, *answers]:
        answer.result()
    return [int(one.label_map[0, 0]) for (one,) in painter.batches[1:]]


def test_a_small_map_does_not_wait_for_large_ones_that_came_before(
    make_queue, painter, metrics, pool
):
    requests = [("a", 128, 1, 2), ("b", 64, 3), ("a", 64, 4)]
    assert painted_in_turn(make_queue(), painter, metrics, pool, requests) == [3, 4, 1, 2]


def test_addresses_take_turns_however_many_maps_one_of_them_has_waiting(
    make_queue, painter, metrics, pool
):
    requests = [("a", 64, 1, 2, 3, 4), ("b", 64, 5), ("c", 64, 6, 7)]
    found = painted_in_turn(make_queue(), painter, metrics, pool, requests)
    assert found == [1, 5, 6, 2, 7, 3, 4]


def test_a_large_map_is_due_before_small_ones_that_come_when_much_has_been_painted(
    make_queue, painter
):
    queue = make_queue()
    large = queue._due(order(side=128).pixels, Client(address="large"))
    before = queue._due(order().pixels, Client(address="small"))
    painter.go_on.set()
    for seed in range(16):
        queue.paint([order(seed=seed)])
    after = queue._due(order().pixels, Client(address="small"))
    assert before < large < after


def test_a_full_queue_makes_room_for_an_address_that_asks_less(make_queue, painter, metrics, pool):
    queue = make_queue(length=3)
    first = pool.submit(queue.paint, [order(0)])
    painter.wait_until_begun()
    greedy = []
    for top in (1, 2, 3):
        one = pool.submit(queue.paint, [order(top)], client=Client(address="greedy"))
        greedy.append(one)
        wait_until(metrics, "gaugan_queue_length", top)
    modest = pool.submit(queue.paint, [order(9)], client=Client(address="modest"))
    with pytest.raises(RequestError) as refused:
        greedy[2].result()
    assert refused.value.code == "busy"
    with pytest.raises(RequestError):  # it has as many as the other now, but for one
        queue.paint([order(10)], client=Client(address="modest"))
    painter.go_on.set()
    for answer in (first, modest, *greedy[:2]):
        assert answer.result()


def test_waiting_maps_of_one_size_are_painted_together_and_that_due_first_is_among_them(
    make_queue, painter, metrics, pool
):
    queue = make_queue(batch_size=3)
    first = pool.submit(queue.paint, [order(1)])
    painter.wait_until_begun()
    sides = [128, 64, 64, 128, 64, 64, 64]
    waiting = pool.submit(
        queue.paint, [order(top, side=side) for top, side in enumerate(sides, start=2)]
    )
    wait_until(metrics, "gaugan_queue_length", len(sides))
    painter.go_on.set()
    pictures = [np.asarray(open64(b64(one.file()))) for one, _ in waiting.result()]
    assert [len(picture) for picture in pictures] == sides
    assert [picture[0, 0, 0] for picture in pictures] == list(range(2, 9))
    assert [[each.label_map.shape[0] for each in batch] for batch in painter.batches] == [
        [64],
        [64, 64, 64],
        [128, 128],
        [64, 64],
    ]
    assert first.result()


def test_a_map_that_cannot_be_painted_does_not_spoil_the_others_of_its_batch(
    make_queue, painter, metrics, pool
):
    queue = make_queue(batch_size=4)
    orders = [order(top) for top in (1, 2, 3, 4)]
    painter.refused = orders[2]
    answers = [pool.submit(queue.paint, [orders[0]])]
    painter.wait_until_begun()
    for number, each in enumerate(orders[1:], start=1):
        answers.append(pool.submit(queue.paint, [each]))
        wait_until(metrics, "gaugan_queue_length", number)
    painter.go_on.set()
    outcomes = [answer.exception() for answer in answers]
    assert [type(outcome) for outcome in outcomes] == [type(None)] * 2 + [
        LabelMapError,
        type(None),
    ]
    assert queue.paint([orders[1]])[0][1] is True


def test_as_the_service_ends_those_who_wait_are_told_busy_and_the_begun_picture_is_given(
    make_queue, painter, metrics, pool
):
    queue = make_queue()
    begun = pool.submit(queue.paint, [order(1)])
    painter.wait_until_begun()
    waiting = pool.submit(queue.paint, [order(2)])
    wait_until(metrics, "gaugan_queue_length", 1)
    queue.refuse_waiting()
    with pytest.raises(RequestError, match="stopped"):
        waiting.result(30)
    painter.go_on.set()
    assert begun.result()


def test_many_threads_get_their_own_pictures_and_each_order_is_painted_once(
    make_queue, painter, metrics, pool
):
    painter.go_on.set()
    queue = make_queue(length=1000, batch_size=4)
    tops = [index % 13 for index in range(400)]
    answers = list(pool.map(lambda top: queue.paint([order(top)]), tops))
    for top, ((picture, _),) in zip(tops, answers):
        assert np.asarray(open64(b64(picture.file())))[0, 0, 0] == top
    assert sum(len(batch) for batch in painter.batches) == 13
    known = value(metrics, "gaugan_cache_hits_total") + value(metrics, "gaugan_joined_total")
    assert known == 400 - 13
    assert value(metrics, "gaugan_queue_length") == 0


def test_other_work_of_the_thread_has_its_turn_between_two_pictures(
    make_queue, painter, metrics, pool
):
    queue = make_queue()
    answers = [pool.submit(queue.paint, [order(1)])]
    painter.wait_until_begun()
    answers.append(pool.submit(queue.paint, [order(2), order(3)]))
    wait_until(metrics, "gaugan_queue_length", 2)
    other = paddle_thread.submit(lambda: len(painter.batches))
    assert not other.done()
    painter.go_on.set()
    assert other.result() == 1
    assert all(answer.result() for answer in answers) and len(painter.batches) == 3
