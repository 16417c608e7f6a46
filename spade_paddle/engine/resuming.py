"""How a run starts: from other weights, or resuming from its own checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import paddle
from paddle import nn

from spade_paddle.config import Config
from spade_paddle.data.batches import BatchSource, to_network
from spade_paddle.data.labels import LabelSet
from spade_paddle.engine.compute import on_gpu
from spade_paddle.engine.grown_weights import grown_discriminator, grown_generator
from spade_paddle.engine.growth import forbidden_changes, network_changes, new_layers
from spade_paddle.engine.initial_weights import Source
from spade_paddle.engine.learner import Learner
from spade_paddle.engine.omgd import initialize_deeper_teacher
from spade_paddle.engine.run_folder import RunFolder
from spade_paddle.engine.students import is_pruned, pruned_source
from spade_paddle.errors import ConfigError
from spade_paddle.networks.combined import CombinedDiscriminator
from spade_paddle.weights import load_state

PROJECTION_PICTURES = 64
"""Number of training pictures on which a projected discriminator measures feature statistics."""

TEACHER_FIELDS = {
    "none": (),
    "cat": ("layers", "feature_mse"),
    "omgd": ("layers", "wider", "deeper", "shared_stages", "channels"),
}
"""Fields of ``distillation``, by method, that determine which other layers are trained."""


def source_of(config: Config, *, init: Path | None) -> Path | None:
    """Return the folder that a new run starts from: ``init`` (``--init``), or else ``init_from``.

    Raises:
        ConfigError: a block is to fade in, or the encoder to be kept, but neither is given.
    """
    if init is not None:
        return init
    if config.init_from is not None:
        return Path(config.init_from)
    if config.fade_in_images:
        raise ConfigError(
            f"fade_in_images is {config.fade_in_images}, but the run starts from new weights, so "
            "there is no smaller generator to add a block to; give the smaller run with init_from "
            "or --init, or set fade_in_images to 0",
            code="fade_without_source",
        )
    if config.encoder.style_dim and not config.optimizer.train_encoder:
        raise ConfigError(
            "optimizer.train_encoder is false, but the run starts from new weights, so there is no "
            "encoder to keep; give the run that has it with init_from or --init, or set "
            "optimizer.train_encoder to true",
            code="kept_encoder_without_source",
        )
    return None


def initialize_from(
    networks: dict[str, nn.Layer], folder: Path, *, config: Config, label_set: LabelSet
) -> list[str]:
    """Initialize networks with the weights of another, possibly smaller, run.

    Layers that the source lacks keep their initialization; see engine/growth.py and
    grown_weights.py.

    Args:
        networks: generator, discriminator and optionally encoder, by name.
        folder: a run folder of tools/train.py, whose newest checkpoint is used, or a model folder
            of tools/convert.py or tools/export.py --trainable.
        config: the configuration of the networks.
        label_set: their labels.

    Returns:
        log lines: for each network, the layers that carry over and those that are new.

    Raises:
        ConfigError: with every difference that growth.py does not allow.
        ModelError: there are no weights in the folder, or they do not fit these networks.
    """
    lines: list[str] = []
    source = Source.read(folder, warn=lines.append)
    problems = forbidden_changes(source.config, config, parts=source.weights)
    if source.label_set.fingerprint() != label_set.fingerprint():
        problems.append(
            f"the label set was '{source.label_set.name}' ({len(source.label_set)} labels), is "
            f"'{label_set.name}' ({len(label_set)}), must be the same"
        )
    if problems:
        raise ConfigError(
            f"{folder}: a run cannot start from these weights: {'; '.join(problems)}; change the "
            "configuration, or start from new weights",
            code="init_differs",
        )
    lines += [
        _carry_over(name, network, source, config=config) for name, network in networks.items()
    ]
    return lines


def check_same_networks(run: RunFolder, config: Config, label_set: LabelSet) -> None:
    """Check that a run is resumed with the same networks and labels.

    Raises:
        ConfigError: with every difference.
    """
    old = run.config
    changes = network_changes(old, config)
    if config.encoder.style_dim:  # the size of the generator's fc depends on these
        for name in ("crop_size", "aspect_ratio"):
            changes[f"data.{name}"] = getattr(old.data, name), getattr(config.data, name)
    for field in ("method", *TEACHER_FIELDS[config.distillation.method]):
        name = f"distillation.{field}"
        changes[name] = old.value(name), config.value(name)
    if not old.fade_in_images or not config.fade_in_images:  # one layer more or less
        changes["fade_in_images"] = old.fade_in_images, config.fade_in_images
    differences = [
        f"{name} was {before}, is {now}" for name, (before, now) in changes.items() if before != now
    ]
    if run.label_set.fingerprint() != label_set.fingerprint():
        differences.append("the label set is a different one")
    if differences:
        raise ConfigError(
            f"{run.path}: this run was started with other networks: {'; '.join(differences)}; "
            "use another --run folder, or the old configuration",
            code="run_differs",
        )


def start_or_resume(
    learner: Learner,
    run: RunFolder,
    *,
    config: Config,
    label_set: LabelSet,
    say: Callable[..., None],
) -> None:
    """Resume from the newest checkpoint of a run; without one, start from ``config.init_from``.

    Log lines go to ``say``.

    Raises:
        ConfigError, ModelError: as in ``source_of``, ``initialize_from`` and
            ``check_same_networks``; or none of the checkpoints can be read.
    """
    if config.compute.amp and not on_gpu():
        say("compute.amp has no effect on a CPU")
    say(learner.convolutions.line())
    start = source_of(config, init=None)
    state = run.latest(warn=say)
    if state is not None:
        check_same_networks(run, config, label_set)
        learner.load(state)
        say(*learner.convolutions.change_since(run.environment.get("convolutions")))
        say(f"resuming from {learner.images_seen} images in {run.path}")
    elif start is not None:
        networks = dict(learner.networks.trained())
        say(*initialize_from(networks, start, config=config, label_set=label_set))
        if config.distillation.method == "omgd":
            say(initialize_deeper_teacher(learner.teachers[1], learner.networks))
        learner.start_averages()


def measure_projection(discriminator: CombinedDiscriminator, batches: BatchSource) -> None:
    """Measure the feature statistics of projected heads, once per run.

    Every process measures the same pictures, so the results are equal.

    Raises:
        ModelError: the heads were trained on another feature network.
        DataError: a photo cannot be read.
    """
    for projection in discriminator.projections():
        projection.check_network()
        if not projection.measured:
            views = (batches.view(position).photo for position in range(PROJECTION_PICTURES))
            projection.measure(paddle.to_tensor(to_network(view[None])) for view in views)


def _carry_over(part: str, network: nn.Layer, source: Source, *, config: Config) -> str:
    """Initialize one network from a source; return a log line."""
    if part not in source.weights:
        return f"{part}: all layers are newly initialized, {source.name} has no {part}"
    weights, notes = source.weights[part], []
    if part == "generator" and is_pruned(source.config, config):
        if config.distillation.student_start == "scratch":
            return (
                "generator: all layers are newly initialized (distillation.student_start=scratch)"
            )
        source = pruned_source(source, config.generator)
        weights, notes = source.weights[part], ["pruned to the channels with the best scores"]
    if part == "generator":
        weights, more = grown_generator(network, weights, old=source.config, new=config)
        notes += more
    if part == "discriminator":
        weights, notes = grown_discriminator(weights, old=source.config, new=config)
    new = new_layers(part, network, old=source.config, new=config)
    own = network.state_dict()
    load_state(
        network,
        {name: value for name, value in weights.items() if _top(name) not in new}
        | {name: value for name, value in own.items() if _top(name) in new},
        where=f"{source.name}, {part}",
    )
    layers = {name.rpartition(".")[0] for name in own}
    carried = [layer for layer in layers if _top(layer) not in new]
    count = "all" if len(carried) == len(layers) else f"{len(carried)} of"
    names = dict.fromkeys(map(_top, own))
    line = (
        f"{part}: {count} {len(layers)} layers carry over from {source.name}: "
        f"{', '.join(name for name in names if name not in new)}"
    )
    if new:
        notes = [f"new: {', '.join(name for name in names if name in new)}", *notes]
    return "; ".join([line, *notes])


def _top(name: str) -> str:
    """Return the direct sublayer of the network that a tensor or layer belongs to."""
    return name.partition(".")[0]
