"""Photos in requests, for a doodle or for their style: as a phone takes them, within limits."""

from __future__ import annotations

import threading

import numpy as np

from spade_paddle.data.photos import read_photo_bytes
from spade_paddle.errors import DataError, RequestError

# A phone's 48 megapixels. Larger photos gain nothing: the networks look at 256 pixels.
MAX_PHOTO_PIXELS = 50_000_000
# The largest PNG allowed takes more than half a GB while it is unpacked.
_ONE_AT_A_TIME = threading.Lock()


def read_sent_photo(data: bytes, *, where: str, short_side: int) -> np.ndarray:
    """The pixels of a photo file that somebody sent, ``uint8`` [h, w, 3] RGB, upright.

    Args:
        data: the file's bytes: JPEG, PNG, WebP and the other usual kinds.
        where: the key in the request.
        short_side: pixels of the shorter side of the result, which is never enlarged.

    Raises:
        RequestError: not_an_image or photo_too_large.
    """
    try:
        with _ONE_AT_A_TIME:
            return read_photo_bytes(
                data, where=where, max_pixels=MAX_PHOTO_PIXELS, short_side=short_side
            )
    except DataError as error:
        code = "photo_too_large" if error.code == "photo_too_large" else "not_an_image"
        raise RequestError(str(error), code=code, **error.details) from error
