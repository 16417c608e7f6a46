"""The tensors of one weights file under our names, with the way back to theirs for messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spade_paddle.convert.leftovers import complete_spectral, without_counters, without_prefix
from spade_paddle.convert.names import looks_like, our_names, their_name
from spade_paddle.errors import ModelError
from spade_paddle.weights import Arrays, read_arrays

# [out, in] in PyTorch, [in, out] in Paddle
LINEAR_WEIGHTS = ("fc.weight", "fc_mu.weight", "fc_var.weight")


@dataclass(frozen=True)
class SourceTensors:
    """One network as its file holds it: ``arrays`` by our names and in Paddle's layout.

    ``names`` has the name in the file for each of ours; ``path``, ``source`` and ``part`` tell
    where they come from.
    """

    path: Path
    source: str
    part: str
    arrays: Arrays
    names: dict[str, str]

    @classmethod
    def read(cls, path: Path, *, source: str, part: str) -> SourceTensors:
        """Read a weights file.

        Raises:
            UserError: as ``read_arrays`` does, or a generator's names are those of another source.
        """
        theirs = complete_spectral(without_counters(without_prefix(read_arrays(path, part=part))))
        if part == "generator":
            _check_source(theirs, path=path, source=source)
        names = our_names(theirs, source=source, part=part)
        tensors = cls(path, source, part, {}, names)
        for ours, name in names.items():
            tensors.arrays[ours] = tensors._swap_linear(ours, theirs[name])
        return tensors

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def shape(self, *names: str, dimensions: int | None = None) -> tuple[int, ...]:
        """The shape of the first of these tensors that there is.

        Raises:
            ModelError: there is none of them, or it has another number of dimensions, so the size
                of the network cannot be read.
        """
        for name in names:
            if name not in self.arrays:
                continue
            shape = self.arrays[name].shape
            if dimensions not in (None, len(shape)):
                raise ModelError(
                    f"{self.path}: '{self.name_in_file(name)}' should have {dimensions} "
                    f"dimensions, its shape is {list(shape)}. {self._advice()}",
                    code="weights_do_not_fit",
                )
            return shape
        raise ModelError(
            f"{self.path}: there is no '{self.name_in_file(names[-1])}', from which the size of "
            f"the {self.part} is read; the file begins with "
            f"{', '.join(list(self.names.values())[:4]) or 'nothing'}. {self._advice()}",
            code="weights_do_not_fit",
        )

    def conv_shape(self, name: str) -> tuple[int, ...]:
        """The shape of a convolution's weight, spectrally normalised or not."""
        return self.shape(f"{name}.weight_orig", f"{name}.weight", dimensions=4)

    def any_ends(self, ending: str) -> bool:
        """Whether any of our names ends so."""
        return any(name.endswith(ending) for name in self.arrays)

    def name_in_file(self, ours: str) -> str:
        """What the file calls a tensor of ours, or would call it."""
        return self.names.get(ours) or their_name(ours, source=self.source, part=self.part)

    def shape_in_file(self, ours: str, shape: tuple[int, ...]) -> list[int]:
        """A shape of ours in the layout of the file."""
        return list(reversed(shape) if self._is_swapped(ours, len(shape)) else shape)

    def _swap_linear(self, ours: str, array: np.ndarray) -> np.ndarray:
        swapped = self._is_swapped(ours, array.ndim)
        return np.ascontiguousarray(array.T) if swapped else array

    def _is_swapped(self, ours: str, dimensions: int) -> bool:
        return self.source != "photopen" and dimensions == 2 and ours in LINEAR_WEIGHTS

    def _advice(self) -> str:
        return f"Is this the {self.part}, is it whole, and is --from {self.source} right?"


def _check_source(theirs: Arrays, *, path: Path, source: str) -> None:
    other = looks_like(theirs)
    # the public CLADE builds SPADE generators too, just like the public SPADE
    if other in (None, source) or (source, other) == ("clade", "spade"):
        return
    raise ModelError(
        f"{path}: by the names of its tensors this is a {other} generator, but --from {source} is "
        f"given; use --from {other}",
        code="weights_do_not_fit",
    )
