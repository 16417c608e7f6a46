"""The trained generator that a distillation starts from, read from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

from spade_paddle.config import Config
from spade_paddle.data.labels import LabelSet
from spade_paddle.engine.initial_weights import Source
from spade_paddle.engine.steps import Networks
from spade_paddle.errors import ConfigError
from spade_paddle.networks.build import build_encoder, build_generator
from spade_paddle.weights import freeze, load_state

SHARED_FIELDS = (
    *("data.dont_care", "data.instance_edges", "data.icpe_compatible", "knows_positions"),
    *("generator.upsampling", "generator.fine_blocks", "generator.noise", "encoder.style_dim"),
)
"""Fields in which student and teacher must agree, to have the same inputs, and features of the same
spatial size."""


def read_teacher(
    config: Config, label_set: LabelSet, *, warn: Callable[[str], None]
) -> Networks | None:
    """Read ``distillation.teacher``; None if it is not set, or without distillation.

    CAT: the averaged generator and encoder, frozen and in evaluation mode. OMGD: the generator as
    it trains, which continues to train as the wider teacher.

    Args:
        config: configuration of the student.
        label_set: label set of the student.
        warn: called with a message for each damaged checkpoint.

    Raises:
        ConfigError: the teacher's inputs differ from the student's.
        ModelError: there are no weights in the folder, or they are damaged.
    """
    options = config.distillation
    if options.method == "none" or options.teacher is None:
        return None
    source = Source.read(Path(options.teacher), warn=warn, averaged=options.method == "cat")
    _check(Path(options.teacher), source, config, label_set)
    return _networks(source.faded_in(), frozen=options.method == "cat")


def _networks(source: Source, *, frozen: bool) -> Networks:
    config, labels = source.config, len(source.label_set)
    networks = Networks(
        build_generator(config, num_labels=labels, spectral_norm=False if frozen else None),
        build_encoder(config, spectral_norm=False) if frozen else None,
    )
    for name, network in networks.trained():
        load_state(network, source.weights[name], where=f"{source.name}, {name}")
        if frozen:
            network.eval()
            freeze(network)
    return networks


def _check(folder: Path, source: Source, config: Config, label_set: LabelSet) -> None:
    """Check that the teacher has the same inputs as the student.

    Raises:
        ConfigError: with every difference.
    """
    pairs = {name: (source.config.value(name), config.value(name)) for name in SHARED_FIELDS}
    problems = [
        f"{name} is {theirs!r}, the student's {ours!r}"
        for name, (theirs, ours) in pairs.items()
        if theirs != ours
    ]
    if source.label_set.fingerprint() != label_set.fingerprint():
        problems.insert(
            0,
            f"its label set is '{source.label_set.name}' ({len(source.label_set)} labels), the "
            f"student's '{label_set.name}' ({len(label_set)})",
        )
    if problems:
        raise ConfigError(
            f"distillation.teacher: {folder} cannot teach this student: {'; '.join(problems)}; "
            "use another teacher, or change the student's configuration",
            code="teacher_differs",
        )
