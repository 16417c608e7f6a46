"""Odd requests to /predict and /annotate, and what any answer to them must be."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from spade_paddle.serving.error_codes import ERROR_CODES

FAKE_STYLE_DIM = 3  # numbers in a style of the painter that stands in
OUR_STYLE_DIM = 16  # of the one that comes along
_SIDES = st.sampled_from([32, 33, 64, 64, 64, 100, 100, 1, 31])
_HUGE = st.sampled_from([5_000, 20_000, 65_535, 2**31 - 1])
_KINDS = (
    *(("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I")),
    *(("JPEG", mode) for mode in ("L", "RGB", "CMYK")),
    *(("GIF", "P"), ("WEBP", "RGB"), ("BMP", "RGB"), ("TIFF", "F"), ("TIFF", "I;16")),
    *(("PPM", "RGB"), ("EPS", "RGB"), ("ICO", "RGBA"), ("TIFF", "CMYK"), ("TGA", "RGB")),
)
_NAMES = (
    *("images", "labels", "seed", "style", "style_name", "style_vector", "format", "edges"),
    *(
        "photo",
        "width",
        "height",
        "data",
        "output_dir",
        "paths",
        "self",
        "use_gpu",
        "visualization",
        "image",
        "Seed",
        "",
        "\ud800",
        "seed" * 99,
    ),
)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([10**400, 1e999, -1e999, 0.5, 32.0, -1, 2**32, 2**32 - 1])
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["\ud800", "png", "jpeg", "bright", "A" * 4000, "../../x", "data:;base64,"])
)


@st.composite
def pictures(draw) -> bytes:
    """The bytes of a picture file: whole, cut, with flipped bytes, or a header of a huge one."""
    if draw(st.integers(0, 9)) == 0:
        return _claims_to_be_huge(
            draw(_HUGE), draw(_HUGE), kind=draw(st.sampled_from([0, 2, 3, 6]))
        )
    data = bytearray(_whole_picture(draw))
    harm = draw(st.sampled_from(["none", "none", "none", "cut", "flip", "both"]))
    if harm in ("cut", "both"):
        del data[draw(st.integers(0, len(data))) :]
    if harm in ("flip", "both"):
        for _ in range(draw(st.integers(1, 8))):
            if data:
                data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)


def _whole_picture(draw) -> bytes:
    file_format, mode = draw(st.sampled_from(_KINDS))
    height, width = draw(_SIDES), draw(_SIDES)
    values = np.random.default_rng(draw(st.integers(0, 3))).integers(0, 13, (height, width))
    image = Image.fromarray(values.astype(np.uint8))
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = draw(st.integers(0, 9))
    options = {"exif": exif.tobytes()} if file_format in ("PNG", "JPEG", "WEBP") else {}
    image = Image.fromarray(values.astype(np.uint16)) if mode == "I;16" else image.convert(mode)
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def _claims_to_be_huge(width: int, height: int, *, kind: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        end = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + end

    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def _texts() -> st.SearchStrategy[str]:
    """Pictures as base64, and what is not quite base64."""
    whole = pictures().map(lambda data: base64.b64encode(data).decode())
    odd = st.text(max_size=40) | whole.map(lambda text: text[:-1])
    return whole | whole.map(lambda text: "data:image/png;base64," + text) | whole | odd


def _values() -> st.SearchStrategy:
    leaves = _SCALARS | _texts()
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(_NAMES) | st.text(max_size=60), inner, max_size=4)
        ),
        max_leaves=6,
    )


@st.composite
def _raw_labels(draw) -> dict:
    """A nearly good entry of ``labels``."""
    height, width = draw(_SIDES), draw(_SIDES)
    length = height * width + draw(st.sampled_from([0, 0, 0, -1, 1]))
    data = bytes([draw(st.sampled_from([0, 1, 12, 13, 255]))]) * length
    entry = {"width": width, "height": height, "data": base64.b64encode(data).decode()}
    return {**entry, **_a_change(draw, tuple(entry))}


def _a_change(draw, keys: tuple[str, ...]) -> dict:
    if draw(st.integers(0, 3)):
        return {}
    return {draw(st.sampled_from(keys) | st.text(max_size=50)): draw(_values())}


def _style_vectors():
    """Lists of numbers: as the painters of the two fuzz tests take them, and others."""
    taken = st.sampled_from([FAKE_STYLE_DIM, OUR_STYLE_DIM]).flatmap(
        lambda length: st.lists(st.floats(-3, 3), min_size=length, max_size=length)
    )
    return taken | st.lists(st.floats(-200, 200) | _SCALARS, max_size=20)


@st.composite
def paint_bodies(draw) -> bytes:
    """A body for /predict: good, nearly good, or anything."""
    if draw(st.integers(0, 4)) == 0:
        return _dumped(draw(_values()))
    if draw(st.booleans()):
        content = {"images": draw(st.lists(_texts(), min_size=1, max_size=2))}
    else:
        content = {"labels": draw(st.lists(_raw_labels(), min_size=1, max_size=2))}
    if draw(st.booleans()):
        content["seed"] = draw(st.sampled_from([None, 0, 7, 2**32 - 1, 2**32, -1, "1"]))
    if draw(st.integers(0, 2)) == 0:
        content["style_name"] = draw(st.sampled_from(["bright", "sunset", "dusk", "", None]))
    elif draw(st.integers(0, 2)) == 0:
        content["style"] = draw(_texts())
    elif draw(st.booleans()):
        content["style_vector"] = draw(_style_vectors())
    return _dumped({**content, **_a_change(draw, _NAMES)})


@st.composite
def annotate_bodies(draw) -> bytes:
    """A body for /annotate: good, nearly good, or anything."""
    if draw(st.integers(0, 9)) == 0:
        return _dumped(draw(_values()))
    sides = st.sampled_from([32, 33, 50, 64, 100, 250, 250, 5000, 2**31 - 1, 31, 0])
    content = {"photo": draw(_texts()), "width": draw(sides), "height": draw(sides)}
    return _dumped({**content, **_a_change(draw, tuple(content))})


def _dumped(content) -> bytes:
    return json.dumps(content).encode("utf-8")


def check_answer(status: int, data: bytes) -> None:
    """An answer is a result, or a documented error of the caller in PaddleHub's envelope."""
    body = json.loads(data)
    if status == 200:
        assert (body["status"], body["msg"]) == ("000", "")
        assert body["results"] and all(result["width"] >= 32 for result in body["results"])
        return
    assert status < 500, body
    assert ERROR_CODES[body["code"]].status == status, body
    assert body["status"] == "101" and body["results"] == "" and body["msg"]
    assert isinstance(body["details"], dict)
