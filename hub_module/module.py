# SPDX-License-Identifier: Apache-2.0
"""PaddleHub module ``gaugan_doodle``: paints photo-like landscapes from label maps."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

import numpy as np
import paddle
from paddlehub.module.module import moduleinfo, runnable, serving


# A Layer, because PaddleHub runs methods of other classes in static graph mode.
@moduleinfo(
    name="gaugan_doodle",
    version="0.1.0",
    author="spade_paddle contributors",
    author_email="",
    summary="Paints a photo-like landscape from a doodle of labels (GauGAN / SPADE).",
    type="CV/image_generation",
)
class GauganDoodle(paddle.nn.Layer):
    """Wraps a ``PaintService``; arguments that are ``None`` come from environment variables."""

    def __init__(
        self,
        use_gpu: bool | None = None,
        host: str | None = None,
        threads: int | None = None,
        engine: str | None = None,
        keep_memory: bool | None = None,
        model: str | None = None,
        cors_origins: str | list[str] | None = None,
        proxies: int | None = None,
        hosts: str | list[str] | None = None,
        api_token: str | None = None,
        max_body_bytes: int | None = None,
        max_pixels: int | None = None,
        max_images: int | None = None,
        queue_length: int | None = None,
        max_wait_seconds: int | None = None,
        batch_size: int | None = None,
        cache_mib: int | None = None,
        idle_seconds: int | None = None,
        stop_seconds: int | None = None,
        access_log: bool | None = None,
        annotate: bool | None = None,
    ) -> None:
        given = {
            **locals()
        }  # before any local variable; a test compares the arguments with the settings
        del given["self"]
        # not super(), which fails because PaddleHub rebuilds the class
        paddle.nn.Layer.__init__(self)
        _require_spade_paddle()
        from spade_paddle.serving.paddlehub_gpu import refuse_gpu_mode
        from spade_paddle.serving.paddlehub_hook import install
        from spade_paddle.serving.service import PaintService
        from spade_paddle.serving.settings import ServiceSettings

        refuse_gpu_mode()
        settings = ServiceSettings.read(given)
        # reports a missing or damaged model now, not at the first picture
        folder = Path(settings.model or Path(self.directory) / "weights")
        self.service = PaintService.of_folder(folder, settings=settings)
        install(self.service)

    def paint(
        self,
        label_map: np.ndarray | str | Path,
        seed: int | None = None,
        style: np.ndarray | str | Path | None = None,
        edges: str = "drawn",
    ) -> np.ndarray:
        """Paint one label map.

        Args:
            label_map: integers [H, W] with label ids (255: don't care), or the path of a PNG.
            seed: seed of the noise and of the model's choice of a style.
            style: the name of one of the model's styles, or a photo: its path, or its pixels,
                ``uint8`` RGB [h, w, 3].
            edges: ``drawn``: those of the label map; ``natural``: as irregular as in photos.

        Returns:
            ``uint8`` RGB [H, W, 3].

        Raises:
            UserError: the label map or the style cannot be read or painted.
        """
        from spade_paddle.serving.paint_files import read_label_file, read_style

        if isinstance(label_map, (str, Path)):
            label_map = read_label_file(label_map, service=self.service)
        if isinstance(style, (str, Path)):
            style = read_style(style, service=self.service)
        return self.service.paint_array(np.asarray(label_map), seed=seed, style=style, edges=edges)

    @serving
    def serving_method(
        self,
        images: list[str] | None = None,
        labels: list[dict] | None = None,
        seed: int | None = None,
        style: str | None = None,
        style_name: str | None = None,
        style_vector: list[float] | None = None,
        format: str = "png",
        edges: str = "drawn",
    ) -> list[dict]:
        """Paint a request given as JSON values; its format is in the README."""
        given = {**locals()}
        del given["self"]
        return self.service.paint_json(
            {name: value for name, value in given.items() if value is not None}
        )

    @runnable
    def run_cmd(self, argvs: list[str]) -> str:
        """``hub run gaugan_doodle --input_path label.png --output_dir out``."""
        from spade_paddle.errors import UserError
        from spade_paddle.serving.paint_files import paint_files

        args = _parser().parse_args(argvs)
        try:
            written = paint_files(
                args.input_path,
                args.output_dir,
                service=self.service,
                seed=args.seed,
                style=args.style,
                image_format=args.format,
                edges=args.edges,
            )
        except UserError as error:
            print(f"hub run gaugan_doodle: {error}", file=sys.stderr)
            raise SystemExit(2) from None
        return "\n".join(str(path) for path in written)  # PaddleHub prints the result


def _require_spade_paddle() -> None:
    """Raise a clear error, because PaddleHub reports a failed import as a network error."""
    if importlib.util.find_spec("spade_paddle") is None:
        raise RuntimeError(
            "gaugan_doodle needs the Python package spade_paddle, which is not installed in "
            f"{sys.prefix}; run 'pip install -e .' in the spade_paddle folder"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hub run gaugan_doodle", description="Paint label maps into landscapes."
    )
    inputs = parser.add_argument_group("Input options")
    inputs.add_argument(
        "--input_path", required=True, help="a label map (PNG of ids) or a folder of them"
    )
    config = parser.add_argument_group("Config options")
    config.add_argument(
        "--output_dir", default="gaugan_doodle_output", help="folder for the pictures"
    )
    config.add_argument("--seed", type=int, default=None, help="seed of the noise and of the style")
    config.add_argument("--style", default=None, help="name of a style, or path of a photo")
    config.add_argument("--format", choices=("png", "jpeg"), default="png")
    config.add_argument(
        "--edges",
        choices=("drawn", "natural"),
        default="drawn",
        help="natural: make edges as irregular as in photos",
    )
    return parser
