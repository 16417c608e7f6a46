"""Numbers for the distinct patches of a map of codes (codes.py).

Legend: H, W size of the map without padding.
"""

from __future__ import annotations

import ctypes

import numpy as np

from spade_paddle.inference.native import kernels
from spade_paddle.inference.native.kernels import CodeArray, IndexArray, PatchSetStruct

ALL_BITS = 2**64 - 1


class PatchSet:
    """A growing set of distinct patches, numbered in the order of their first occurrence.

    Args:
        length: codes per patch.
        hash_mask: bits of the hash to use; fewer make lookups slower, results stay the same.
    """

    def __init__(self, length: int, *, hash_mask: int = ALL_BITS) -> None:
        self._length = length
        self._hash_mask = hash_mask
        self.clear()

    def clear(self) -> None:
        """Remove all patches."""
        self._allocate(256)

    @property
    def patches(self) -> CodeArray:
        """The patches in the order of their numbers, ``uint16`` [count, length]."""
        return self._patches[: self._struct.count]

    def number_map(self, codes: CodeArray, *, radius: int) -> IndexArray:
        """The number of the square patch around each pixel; new patches are added.

        Args:
            codes: ``uint16`` [H + 2 radius, W + 2 radius], with padding.
            radius: in pixels; ``length`` must be (2 radius + 1)**2.

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

    def number_list(self, patches: CodeArray) -> IndexArray:
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
        self._allocate(2 * len(self._patches))
        self.number_list(before)

    def _allocate(self, capacity: int) -> None:
        """Start an empty set with memory for ``capacity`` patches."""
        self._patches = np.empty((capacity, self._length), np.uint16)
        # at least twice the capacity, so that linear probing is short
        self._slots = np.full(1 << (2 * capacity - 1).bit_length(), -1, np.int32)
        self._struct = PatchSetStruct(
            length=self._length,
            count=0,
            capacity=capacity,
            patches=self._patches.ctypes.data,
            slot_mask=len(self._slots) - 1,
            slots=self._slots.ctypes.data,
            hash_mask=self._hash_mask,
        )
