"""The tensors of one weights file under our names, with the way back to theirs for messages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spade_paddle.convert.extra_entries import complete_spectral, without_counters, without_prefix
from spade_paddle.convert.layer_names import looks_like, our_names, their_name
from spade_paddle.errors import ModelError
from spade_paddle.weights import Arrays, Shape, read_arrays

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
        tensors = cls(path, source, part, {}, our_names(theirs, source=source))
        other = looks_like(theirs) if part == "generator" else None
        # the public CLADE builds SPADE generators too, just like the public SPADE
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
        """The shape of a tensor of ours, also of a weight that is spectrally normalized.

        Raises:
            ModelError: there is none, or it has another number of dimensions, so the size of the
                network cannot be read.
        """
        found = f"{name}_orig" if f"{name}_orig" in self.arrays else name
        advice = f"Is this the {self.part}, is it whole, and is --from {self.source} right?"
        if found not in self.arrays:
            raise self.misfit(
                f"there is no '{self.name_in_file(name)}', from which the size of the {self.part} "
                f"is read; the file begins with "
                f"{', '.join(list(self.names.values())[:4]) or 'nothing'}. {advice}"
            )
        shape = self.arrays[found].shape
        if dimensions not in (None, len(shape)):
            raise self.misfit(
                f"'{self.name_in_file(found)}' should have {dimensions} dimensions, its shape is "
                f"{list(shape)}. {advice}"
            )
        return shape

    def any_ends(self, ending: str) -> bool:
        """Whether any of our names ends so."""
        return any(name.endswith(ending) for name in self.arrays)

    def misfit(self, problem: str) -> ModelError:
        """The error that says what of the file does not fit."""
        return ModelError(f"{self.path}: {problem}", code="weights_do_not_fit")

    def name_in_file(self, ours: str) -> str:
        """What the file calls a tensor of ours, or would call it."""
        return self.names.get(ours) or their_name(ours, source=self.source)

    def shape_in_file(self, ours: str, shape: Shape) -> list[int]:
        """A shape of ours in the layout of the file."""
        return list(reversed(shape) if self._is_swapped(ours, len(shape)) else shape)

    def _is_swapped(self, ours: str, dimensions: int) -> bool:
        return self.source != "photopen" and dimensions == 2 and ours in LINEAR_WEIGHTS
