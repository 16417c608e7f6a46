"""Properties of the weights that the user must state, because the tensors do not show them."""

from __future__ import annotations

from dataclasses import dataclass

from spade_paddle.networks.semantics import SemanticLayout


@dataclass(frozen=True)
class Flags:
    """The options of tools/convert.py that describe the networks."""

    source: str  # spade, clade or photopen
    num_labels: int  # without don't care
    dont_care: bool = False  # the networks have a channel for 255
    instances: bool = False  # the networks have an instance edge channel
    upsampling: str | None = None  # normal, more or most; None: most if up_4 exists, else normal
    compatible: bool = False  # CLADE-ICPE positions with the public code's deviations
    latent_size: tuple[int, int] | None = None  # height, width of the features made from a style

    @property
    def channels(self) -> int:
        """Number of semantic channels of the networks."""
        layout = SemanticLayout(self.num_labels, dont_care=self.dont_care, edges=self.instances)
        return layout.channels

    def as_sum(self) -> str:
        """Return the channel count as a sum of the flags, for messages."""
        dont_care = "1 for --dont-care" if self.dont_care else "0 without --dont-care"
        instances = "1 for --instances" if self.instances else "0 without --instances"
        return f"--num-labels {self.num_labels} + {dont_care} + {instances}"
