"""GauGAN (SPADE) for PaddlePaddle: from a doodle of labels to a photo-like landscape.

What people come for can be imported from here; each name loads its module when it is first used.
"""

import importlib as _importlib
import warnings as _warnings
import zlib as _zlib

__version__ = "0.1.0"

# libpaddle of Paddle 2.6 exports its own zlib. If Python uses the system's zlib, that must be
# called before paddle is imported, or later imports crash at random.
_zlib.decompress(_zlib.compress(b"x"))

# Paddle warns at every import; it concerns only compiled extensions, of which we have none.
_warnings.filterwarnings("ignore", message="No ccache found", category=UserWarning)

_MODULES = {
    "Painter": "inference.painter",
    "natural_edges": "inference.natural_edges",
    "Config": "config",
    "load_config": "config",
    "LabelSet": "data.labels",
    "Trainer": "engine.trainer",
    "build_generator": "networks.build",
    "build_encoder": "networks.build",
    "build_discriminator": "networks.build",
    "SemanticLayout": "networks.semantics",
    "SPADE": "layers.spade",
    "CLADE": "layers.clade",
    "SPADEResnetBlock": "layers.blocks",
    "simam": "layers.simam",
    "SPADEGenerator": "networks.generator",
    "NLayersDiscriminator": "networks.discriminator",
    "MultiscaleDiscriminator": "networks.discriminator",
    "generator_loss": "losses.gan",
    "discriminator_loss": "losses.gan",
    "feature_matching_loss": "losses.gan",
    "PerceptualLoss": "losses.perceptual",
    "kl_loss": "losses.style",
}
__all__ = [*_MODULES]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'spade_paddle' has no attribute '{name}'")
    return getattr(_importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
