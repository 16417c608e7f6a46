"""Which library computes the convolutions in training: oneDNN where available, else Paddle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from paddle import nn

from spade_paddle.config import Config
from spade_paddle.errors import ConfigError
from spade_paddle.onednn.layers import unavailable_reason, use_onednn
from spade_paddle.onednn.library import has_bfloat16


@dataclass(frozen=True)
class Convolutions:
    """The choice for one run on one machine; results of different choices differ by rounding.

    Attributes:
        library: ``onednn`` or ``paddle``.
        bfloat16: whether inputs of convolutions are rounded to bfloat16.
        reason: why the choice differs from the requested one, as text; None if it does not.
    """

    library: str
    bfloat16: bool = False
    reason: str | None = None

    @classmethod
    def choose(cls, config: Config) -> Convolutions:
        """Resolve ``compute.convolutions`` and ``compute.bfloat16`` for this machine.

        Raises:
            ConfigError: ``onednn`` is requested and not available.
        """
        options = config.compute
        if options.convolutions == "paddle":
            return cls("paddle")
        reason = unavailable_reason()
        if reason is None:
            if options.bfloat16 and not has_bfloat16():
                return cls("onednn", reason="this processor has no AVX512_BF16: no bfloat16")
            return cls("onednn", bfloat16=options.bfloat16)
        if options.convolutions == "onednn":
            raise ConfigError(
                f"compute.convolutions: oneDNN is not available here: {reason}; set it to auto or "
                "paddle",
                code="onednn_missing",
            )
        return cls("paddle", reason=reason)

    def __str__(self) -> str:
        return f"{self.library}, bfloat16" if self.bfloat16 else self.library

    def apply(self, networks: Iterator[nn.Layer]) -> None:
        """Let the chosen library compute the convolutions of these networks."""
        if self.library == "onednn":
            for network in networks:
                use_onednn(network, bfloat16=self.bfloat16)

    def line(self) -> str:
        """Return a log line about the choice."""
        reason = f" ({self.reason})" if self.reason else ""
        return f"convolutions: {self}{reason}"

    def change_since(self, before: str | None) -> Iterator[str]:
        """Yield a log line if the run used another choice before.

        Args:
            before: the choice recorded in the run's environment.json; None: not known.
        """
        if before not in (None, str(self)):
            yield (
                f"so far, {before} computed the convolutions of this run; from now on, it is "
                f"{self}, and results differ by rounding"
            )
