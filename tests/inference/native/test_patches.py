"""Numbers of patches are those of np.unique, in the order in which they were met."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spade_paddle.inference.native.patches import ALL_BITS, PatchSet

pytestmark = pytest.mark.usefixtures("c_library")

TRIED = settings(max_examples=60, derandomize=True, deadline=None, database=None)
RADII = (0, 1, 2, 4)
WEAK = (0, 3, ALL_BITS)  # masks of the hash
FIRST_ROOM = 256  # patches that a new set has room for


def windows(codes: np.ndarray, radius: int) -> np.ndarray:
    """[P, side * side]: the patch around each pixel within the padding."""
    side = 2 * radius + 1
    if min(codes.shape) < side:
        return np.empty((0, side**2), codes.dtype)
    found = np.lib.stride_tricks.sliding_window_view(codes, (side, side))
    return found.reshape(-1, side**2)


def numbered(patches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct patches [n, length] in the order in which they come, and each one's number."""
    distinct, first, inverse = np.unique(patches, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return distinct[order], np.argsort(order)[inverse.ravel()]


@st.composite
def code_maps(draw) -> np.ndarray:
    """Of areas, with single pixels and thin lines in them; or of noise."""
    height, width = draw(st.integers(1, 14)), draw(st.integers(1, 14))
    most = draw(st.sampled_from([0, 1, 2, 40, 2**16 - 1]))
    code = st.integers(0, most)
    if draw(st.booleans()):
        rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        return rng.integers(0, most + 1, (height, width)).astype(np.uint16)
    codes = np.full((height, width), draw(code), np.uint16)
    for _ in range(draw(st.integers(0, 4))):
        row, column = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        place = {"area": np.s_[row:, column:], "row": np.s_[row], "column": np.s_[:, column]}
        place["pixel"] = np.s_[row, column]
        codes[place[draw(st.sampled_from(sorted(place)))]] = draw(code)
    return codes


def test_patches_of_four_pixels_by_hand():
    # around each pixel of 7 7 8 7: (9 7 7), (7 7 8), (7 8 7), (8 7 9) in the middle row
    codes = np.full((3, 6), 9, np.uint16)
    codes[1, 1:5] = 7, 7, 8, 7
    found = PatchSet(9)
    assert found.number_map(codes, radius=1).tolist() == [[0, 1, 2, 3]]
    assert found.patches[:, 3:6].tolist() == [[9, 7, 7], [7, 7, 8], [7, 8, 7], [8, 7, 9]]
    assert (found.patches[:, [0, 1, 2, 6, 7, 8]] == 9).all()
    points = PatchSet(1)
    assert points.number_map(codes[1:2], radius=0).tolist() == [[0, 1, 1, 2, 1, 0]]
    assert points.patches.tolist() == [[9], [7], [8]]


@pytest.mark.parametrize("mask", WEAK)
@pytest.mark.parametrize("radius", RADII)
def test_numbers_are_those_of_unique_whatever_the_map_and_however_weak_the_hash(radius, mask):
    @TRIED
    @given(code_maps())
    def check(codes: np.ndarray) -> None:
        padded = np.pad(codes, radius, constant_values=codes[0, 0] ^ 1)
        patches, numbers = numbered(windows(padded, radius))
        found = PatchSet((2 * radius + 1) ** 2, hash_mask=mask)
        index = found.number_map(padded, radius=radius)
        assert (index.dtype, found.patches.dtype) == (np.int32, np.uint16)
        assert np.array_equal(index, numbers.reshape(codes.shape))
        assert np.array_equal(found.patches, patches)
        listed = PatchSet((2 * radius + 1) ** 2, hash_mask=mask)
        assert np.array_equal(listed.number_list(windows(padded, radius)), numbers)
        assert np.array_equal(listed.patches, patches)

    check()


@TRIED
@given(st.lists(code_maps(), min_size=2, max_size=5))
def test_numbers_stay_as_they_were_when_more_is_added(maps):
    found = PatchSet(9)
    padded = [np.pad(codes, 1, constant_values=3) for codes in maps]
    before = [found.number_map(codes, radius=1) for codes in padded]
    patches, numbers = numbered(np.concatenate([windows(codes, 1) for codes in padded]))
    assert np.array_equal(found.patches, patches)
    assert np.array_equal(np.concatenate([index.ravel() for index in before]), numbers)
    for codes, index in zip(padded, before):
        count = len(found.patches)
        assert np.array_equal(found.number_map(codes, radius=1), index)
        assert np.array_equal(found.number_list(windows(codes, 1)), index.ravel())
        assert len(found.patches) == count


@pytest.mark.parametrize("mask", WEAK)
@pytest.mark.parametrize("count", [FIRST_ROOM - 1, FIRST_ROOM, FIRST_ROOM + 1, 3000])
def test_a_set_grows_beyond_its_first_room(count, mask):
    if mask == 0:
        count = min(count, FIRST_ROOM + 1)  # every look-up passes all before it
    codes = np.random.default_rng(2).permutation(2**16)[:count].astype(np.uint16)[None]
    by_map, by_list = PatchSet(1, hash_mask=mask), PatchSet(1, hash_mask=mask)
    for _ in range(2):
        assert np.array_equal(by_map.number_map(codes, radius=0)[0], np.arange(count))
        assert np.array_equal(by_list.number_list(codes.T), np.arange(count))
    assert np.array_equal(by_map.patches, codes.T)
    assert np.array_equal(by_list.patches, codes.T)


def test_noise_of_many_codes_and_a_wide_patch_has_a_number_for_every_pixel():
    codes = np.random.default_rng(3).integers(0, 2**16, (48, 56)).astype(np.uint16)
    found = PatchSet(81)
    index = found.number_map(codes, radius=4)
    assert np.array_equal(index.ravel(), np.arange(40 * 48))
    assert np.array_equal(found.patches, windows(codes, 4))


def test_a_cleared_set_numbers_from_the_beginning():
    found, codes = PatchSet(1), np.arange(1000, dtype=np.uint16)[None]
    found.number_map(codes, radius=0)
    found.clear()
    assert found.patches.shape == (0, 1)
    assert found.number_map(codes[:, ::-1], radius=0).tolist() == [list(range(1000))]
    assert np.array_equal(found.patches, codes[:, ::-1].T)


def test_a_map_with_nothing_within_its_padding_has_no_patches():
    found = PatchSet(25)
    for shape in ((4, 9), (9, 4), (4, 4)):
        assert found.number_map(np.zeros(shape, np.uint16), radius=2).size == 0
    assert found.number_list(np.empty((0, 25), np.uint16)).shape == (0,)
    assert len(found.patches) == 0


def test_what_does_not_fit_is_refused():
    found = PatchSet(9)
    with pytest.raises(AssertionError):
        found.number_map(np.zeros((5, 5), np.uint16), radius=2)
    with pytest.raises(AssertionError):
        found.number_list(np.zeros((4, 25), np.uint16))
    with pytest.raises(ValueError):
        found.number_map(np.zeros((1, 5), np.uint16), radius=1)
    for wrong in (np.uint8, np.int32, np.float32):
        with pytest.raises(Exception, match="array must have data type uint16"):
            found.number_map(np.zeros((3, 3), wrong), radius=1)
        with pytest.raises(Exception, match="array must have data type uint16"):
            found.number_list(np.zeros((4, 9), wrong))
    assert len(found.patches) == 0
