"""Which library computes the convolutions in training: oneDNN where available, else Paddle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from paddle import nn

from spade_paddle.config import Config
from spade_paddle.errors import ConfigError
from spade_paddle.onednn.layers import use_onednn, why_not
from spade_paddle.onednn.library import has_bfloat16


@dataclass(frozen=True)
class Convolutions:
    """The choice for one run on one machine; results differ between choices by rounding.

    Attributes:
        library: ``onednn`` or ``paddle``.
        bfloat16: inputs of convolutions are rounded to it.
        reason: why it is not what was asked for, in words; None where it is.
    """

    library: str
    bfloat16: bool = False
    reason: str | None = None

    @classmethod
    def choose(cls, config: Config) -> Convolutions:
        """What ``compute.convolutions`` and ``compute.bfloat16`` come to here.

        Raises:
            ConfigError: oneDNN is asked for by name and cannot be had.
        """
        options = config.compute
        if options.convolutions == "paddle":
            return cls("paddle")
        reason = why_not()
        if reason is None:
            if options.bfloat16 and not has_bfloat16():
                return cls("onednn", reason="this processor has no AVX512_BF16: no bfloat16")
            return cls("onednn", bfloat16=options.bfloat16)
        if options.convolutions == "onednn":
            raise ConfigError(
                f"compute.convolutions: oneDNN cannot compute them here: {reason}; set it to auto "
                "or paddle",
                code="onednn_missing",
            )
        return cls("paddle", reason=reason)

    def __str__(self) -> str:
        return f"{self.library}, bfloat16" if self.bfloat16 else self.library

    def apply(self, networks: Iterator[nn.Layer]) -> None:
        """Let the library compute the convolutions of these networks."""
        if self.library == "onednn":
            for network in networks:
                use_onednn(network, bfloat16=self.bfloat16)

    def line(self) -> str:
        """For people."""
        reason = f" ({self.reason})" if self.reason else ""
        return f"convolutions: {self}{reason}"

    def change_since(self, before: str | None) -> Iterator[str]:
        """A line for people where an earlier part of the run computed otherwise, as its
        environment.json tells; None: it does not."""
        if before not in (None, str(self)):
            yield (
                f"until now {before} computed the convolutions of this run; from here on it is "
                f"{self}, and results differ by rounding"
            )
