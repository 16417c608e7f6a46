"""Describes how each number of an evaluation was measured."""

from __future__ import annotations

from typing import Any

from spade_paddle.evaluation.evaluation import DIVERSITY_SCENES, DIVERSITY_SEEDS
from spade_paddle.judge.feature_extractor import LAYERS


def view_of(side: int) -> str:
    """Describe the crop and size of the pictures."""
    resized = "photos: area to shrink, bicubic to enlarge, OpenCV"
    return f"central square at {side} x {side} pixels ({resized})"


def common_line(protocol: dict[str, Any]) -> str:
    """Describe what applies to all numbers: scenes, size, seeds and intervals."""
    half = "both halves" if protocol["half"] == "all" else f"half to {protocol['half']}"
    return (
        f"{protocol['scenes']} scenes of {protocol['data']} ({protocol['part']}, {half}), "
        f"{view_of(protocol['side'])}, seed = index of the scene; 95 % bootstrap intervals "
        f"over scenes, {protocol['replicates']} replicates"
    )


def measures(protocol: dict[str, Any]) -> dict[str, str]:
    """Describe each score that was measured, by its name."""
    features = protocol["features"]
    network = f"EfficientNet-Lite0 ({features['file']}, sha256 {features['sha256'][:8]})"
    floor = f"floor: {protocol['other_photos']} photos of the other split"
    lines = {
        name: f"{network}, {layer} at every position of the picture; {floor}"
        for name, layer in LAYERS.items()
    }
    lines["grid_energy"] = "share of the high-passed energy at periods that divide 8 pixels"
    layers = " and ".join(LAYERS.values())
    lines["perceptual"] = f"{network}, mean of 1 - cosine over positions of {layers}"
    lines["color"] = "Euclidean distance between mean RGB of picture and photo, each 0..255"
    lines["diversity"] = (
        f"{network}, perceptual distance of all pairs of {DIVERSITY_SEEDS} seeds, mean of "
        f"{min(DIVERSITY_SCENES, protocol['scenes'])} scenes; no interval"
    )
    annotator = protocol["annotator"]
    if annotator is not None:
        for name in ("mean_iou", "pixel_accuracy"):
            lines[name] = (
                f"PaddleSeg annotator {annotator['name']} ({annotator['sha256'][:8]}), counts "
                "summed over scenes; pixels with 255 in the label map are ignored"
            )
    return {**lines, **_inception_measures(protocol, floor)}


def _inception_measures(protocol: dict[str, Any], floor: str) -> dict[str, str]:
    inception = protocol["inception"]
    if inception is None:
        return {}
    network = (
        f"{inception['network']} (sha256 {inception['sha256'][:8]}), {inception['resize']}, "
        f"{inception['scale']}"
    )
    lines = {
        "fid": f"{network}; to the photos of the same {protocol['scenes']} scenes; {floor}",
        "kid": f"{network}; kernel (x . y / 2048 + 1)^3, unbiased, all pictures at once; {floor}",
    }
    stored = protocol["statistics"]
    if stored is not None:
        lines["fid_statistics"] = (
            f"{network}; to {stored['file']} (sha256 {stored['sha256'][:8]}), "
            f"{stored['count']} photos"
        )
    return lines
