"""GauGAN (SPADE) for PaddlePaddle: from a doodle of labels to a photo-like landscape."""

import zlib

__version__ = "0.1.0"

# libpaddle of Paddle 2.6 exports a zlib of its own. Where Python uses the system's, that one must
# have been called before paddle is imported, or later imports crash at random.
zlib.decompress(zlib.compress(b"x"))
