"""Numbers for the distinct patches of a map of codes."""

from __future__ import annotations

import ctypes

import numpy as np

from spade_paddle.inference.native import kernels
from spade_paddle.inference.native.kernels import PatchSetStruct

ALL_BITS = 2**64 - 1


class PatchSet:
    """Distinct patches of so many codes, numbered in the order in which they were met.

    Args:
        length: codes of a patch.
        hash_mask: bits of the hash that are used; fewer are slower, and change nothing else.
    """

    def __init__(self, length: int, *, hash_mask: int = ALL_BITS) -> None:
        self._length = length
        self._hash_mask = hash_mask
        self.clear()

    def clear(self) -> None:
        """Forget all patches."""
        self._patches = np.empty((0, self._length), np.uint16)
        self._take(np.empty((256, self._length), np.uint16))

    @property
    def patches(self) -> np.ndarray:
        """``uint16`` [count, length]."""
        return self._patches[: self._struct.count]

    def number_map(self, codes: np.ndarray, *, radius: int) -> np.ndarray:
        """The number of the square patch around each pixel; new ones are added.

        Args:
            codes: ``uint16`` [H + 2 radius, W + 2 radius].

        Returns:
            ``int32`` [H, W].
        """
        height, width = (side - 2 * radius for side in codes.shape)
        assert self._length == (2 * radius + 1) ** 2
        index = np.empty((height, width), np.int32)
        number = kernels.library().spade_number_patches
        codes = np.ascontiguousarray(codes)
        while not number(ctypes.byref(self._struct), codes, height, width, radius, index):
            self._grow()
        return index

    def number_list(self, patches: np.ndarray) -> np.ndarray:
        """The numbers ``int32`` [n] of patches ``uint16`` [n, length]; new ones are added."""
        assert patches.shape[1] == self._length
        index = np.empty(len(patches), np.int32)
        number = kernels.library().spade_number_list
        patches = np.ascontiguousarray(patches)
        while not number(ctypes.byref(self._struct), patches, len(patches), index):
            self._grow()
        return index

    def _grow(self) -> None:
        before = self.patches
        self._take(np.empty((2 * len(self._patches), self._length), np.uint16))
        self.number_list(before)

    def _take(self, room: np.ndarray) -> None:
        """Be empty, with room for so many patches."""
        slots = np.full(1 << (2 * len(room) - 1).bit_length(), -1, np.int32)
        self._patches, self._slots = room, slots
        self._struct = PatchSetStruct(
            length=self._length,
            count=0,
            capacity=len(room),
            patches=room.ctypes.data,
            slot_mask=len(slots) - 1,
            slots=slots.ctypes.data,
            hash_mask=self._hash_mask,
        )
