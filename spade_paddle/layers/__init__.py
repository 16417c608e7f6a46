"""The layers of the article, one idea per file."""

from spade_paddle.layers.blocks import SPADEResnetBlock
from spade_paddle.layers.clade import CLADE
from spade_paddle.layers.inception import InceptionBlock, InceptionSPADE
from spade_paddle.layers.norm import ParamFreeBatchNorm, ParamFreeInstanceNorm
from spade_paddle.layers.simam import simam
from spade_paddle.layers.spade import SPADE

__all__ = [
    "CLADE",
    "SPADE",
    "InceptionBlock",
    "InceptionSPADE",
    "ParamFreeBatchNorm",
    "ParamFreeInstanceNorm",
    "SPADEResnetBlock",
    "simam",
]
