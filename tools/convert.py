#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Convert weights of the public SPADE, CLADE or PaddleGAN photopen into a model folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from spade_paddle.cli import run_tool
from spade_paddle.convert.layer_names import SOURCES

NOTES = """The sizes of the networks are inferred from the weights. Options must give the rest: the
labels in the order of their channels, and --upsampling normal or more. Label ids start at 0: the
public ADE20K weights have ids 0 (unknown) to 150, so --num-labels 151; photopen has 0 (don't care)
to 12, so --num-labels 13 --instances.
A .pdparams file is a pickle: convert only files you trust."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, epilog=NOTES)
    add = parser.add_argument
    add("--from", required=True, choices=SOURCES, dest="source", help="project of the weights")
    add("--weights", required=True, type=Path, help="generator: .pth, .pdparams or .npz")
    add("--encoder", type=Path, help="style encoder (spade and clade, trained with VAE)")
    add("--discriminator", type=Path, help="discriminator, for further training")
    add("--num-labels", required=True, type=int, help="number of labels, without don't care")
    add("--dont-care", action="store_true", help="the weights have a channel for don't care (255)")
    add("--instances", action="store_true", help="the weights have a channel for instance edges")
    add("--upsampling", choices=("normal", "more", "most"), help="default: most if the weights "
        "have it, else normal")  # fmt: skip
    add(
        "--compatible",
        action="store_true",
        help="compute CLADE-ICPE positions like its public code",
    )
    add("--label-set", type=Path, help="label set (YAML or JSON); default: label 0, label 1, ...")
    add("--latent-size", type=height_and_width, metavar="HxW", help="of the coarsest features, "
        "if they are computed from a style and not square")  # fmt: skip
    add("--name", help="name of the model; default: the source")
    add(
        "--out", required=True, type=Path, help="model folder to write; an existing one is replaced"
    )
    return run_tool(convert_weights, parser)


def height_and_width(text: str) -> tuple[int, int]:
    height, separator, width = text.partition("x")
    if not (separator and height.isdecimal() and width.isdecimal() and int(height) * int(width)):
        raise argparse.ArgumentTypeError(f"expected HxW such as 4x8, got {text!r}")
    return int(height), int(width)


def convert_weights(arguments: argparse.Namespace) -> int:
    from spade_paddle.convert.flags import Flags
    from spade_paddle.convert.label_set import numbered_label_set
    from spade_paddle.convert.model import convert
    from spade_paddle.data.labels import LabelSet
    from spade_paddle.networks.cost import count_parameters

    name = arguments.name or arguments.source
    parts = {
        "generator": arguments.weights,
        "encoder": arguments.encoder,
        "discriminator": arguments.discriminator,
    }
    config, networks = convert(
        {part: path for part, path in parts.items() if path},
        arguments.out,
        flags=Flags(
            source=arguments.source,
            num_labels=arguments.num_labels,
            dont_care=arguments.dont_care,
            instances=arguments.instances,
            upsampling=arguments.upsampling,
            compatible=arguments.compatible,
            latent_size=arguments.latent_size,
        ),
        label_set=(
            LabelSet.load(arguments.label_set)
            if arguments.label_set
            else numbered_label_set(name, arguments.num_labels)
        ),
        name=name,
    )
    options = config.generator
    if arguments.compatible and options.norm != "clade_icpe":
        print("--compatible has no effect: only CLADE-ICPE has positions")
    print(f"model folder: {arguments.out}")
    print(
        f"{options.norm}, ngf {options.ngf}, {options.upsampling} upsampling, "
        f"{arguments.num_labels} labels, "
        f"{count_parameters(networks['generator']) / 1e6:.2f} M parameters"
    )
    for part, network in networks.items():
        print(f"{part}: {len(network.state_dict())} tensors converted, 0 missing, 0 extra")
    return 0


if __name__ == "__main__":
    sys.exit(main())
