"""The tensors of one weights file by our names, with the names in the file for messages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spade_paddle.convert.extra_entries import complete_spectral, without_counters, without_prefix
from spade_paddle.convert.layer_names import guess_source, our_names, their_name
from spade_paddle.errors import ModelError
from spade_paddle.weights import Arrays, Shape, read_arrays

# [out, in] in PyTorch, [in, out] in Paddle
LINEAR_WEIGHTS = ("fc.weight", "fc_mu.weight", "fc_var.weight")


@dataclass(frozen=True)
class SourceTensors:
    """The tensors of one network in a file.

    Attributes:
        path: the file.
        source: spade, clade or photopen.
        part: generator, encoder or discriminator.
        arrays: the tensors by our names, in Paddle's layout.
        names: the name in the file for each of our names.
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
            UserError: as in ``read_arrays``; or the names are those of another source.
        """
        theirs = complete_spectral(without_counters(without_prefix(read_arrays(path, part=part))))
        tensors = cls(path, source, part, {}, our_names(theirs, source=source))
        other = guess_source(theirs) if part == "generator" else None
        # public CLADE also builds SPADE generators, with the names of public SPADE
        if other not in (None, source) and (source, other) != ("clade", "spade"):
            raise tensors.misfit(
                f"by the names of its tensors this is a {other} generator, but --from {source} is "
                f"given; use --from {other}"
            )
        for ours, name in tensors.names.items():
            array = theirs[name]
            swapped = tensors._is_swapped(ours, array.ndim)
            tensors.arrays[ours] = np.ascontiguousarray(array.T) if swapped else array
        return tensors

    def shape(self, name: str, *, dimensions: int | None = None) -> Shape:
        """Return the shape of a tensor by our name, also of a spectrally normalized weight.

        Raises:
            ModelError: it does not exist, or has another number of dimensions.
        """
        found = f"{name}_orig" if f"{name}_orig" in self.arrays else name
        advice = f"Is this the {self.part}, is it complete, and is --from {self.source} right?"
        if found not in self.arrays:
            raise self.misfit(
                f"there is no '{self.name_in_file(name)}', which determines the size of the "
                f"{self.part}; the file begins with "
                f"{', '.join(list(self.names.values())[:4]) or 'nothing'}. {advice}"
            )
        shape = self.arrays[found].shape
        if dimensions not in (None, len(shape)):
            raise self.misfit(
                f"'{self.name_in_file(found)}' should have {dimensions} dimensions, but its shape "
                f"is {list(shape)}. {advice}"
            )
        return shape

    def has_ending(self, ending: str) -> bool:
        """Whether any of our names has this ending."""
        return any(name.endswith(ending) for name in self.arrays)

    def misfit(self, problem: str) -> ModelError:
        """Create the error about a problem with this file."""
        return ModelError(f"{self.path}: {problem}", code="weights_do_not_fit")

    def name_in_file(self, ours: str) -> str:
        """Return the name, or the expected name, of one of our tensors in the file."""
        return self.names.get(ours) or their_name(ours, source=self.source)

    def shape_in_file(self, ours: str, shape: Shape) -> list[int]:
        """Convert a shape from our layout to that of the file."""
        return list(reversed(shape) if self._is_swapped(ours, len(shape)) else shape)

    def _is_swapped(self, ours: str, dimensions: int) -> bool:
        return self.source != "photopen" and dimensions == 2 and ours in LINEAR_WEIGHTS
