"""GauGAN (SPADE) for PaddlePaddle: from a doodle of labels to a photo-like landscape."""

__version__ = "0.1.0"
