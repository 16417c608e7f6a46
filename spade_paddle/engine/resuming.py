"""How a run starts: with weights from elsewhere, or from where the same run stopped."""

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
from spade_paddle.engine.growth import forbidden_changes, fresh_layers, network_changes
from spade_paddle.engine.initial_weights import Source
from spade_paddle.engine.learner import Learner
from spade_paddle.engine.omgd import begin_as
from spade_paddle.engine.run_folder import RunFolder
from spade_paddle.engine.students import clips, pruned_source
from spade_paddle.errors import ConfigError
from spade_paddle.networks.combined import CombinedDiscriminator
from spade_paddle.weights import load_state

MEASURED = 64
"""So many training pictures tell a projected discriminator how features are spread."""


LEARNING_WITH = {
    "none": (),
    "cat": ("layers", "feature_mse"),
    "omgd": ("layers", "wider", "deeper", "shared_stages", "channels"),
}
"""Fields that say which layers learn beside a student's own."""


def source_of(config: Config, *, init: Path | None) -> Path | None:
    """The folder whose weights a new run begins with: ``--init``, or else ``init_from``; or None.

    Raises:
        ConfigError: a block is to fade in, but there is no such folder.
    """
    if init is not None:
        return init
    if config.init_from is not None:
        return Path(config.init_from)
    if config.fade_in_images:
        raise ConfigError(
            f"fade_in_images is {config.fade_in_images}, but the run begins with fresh weights, so "
            "there is no smaller picture for the new block to come into; give the smaller run "
            "with init_from or --init, or set fade_in_images to 0",
            code="fade_without_source",
        )
    return None


def begin_with(
    networks: dict[str, nn.Layer], folder: Path, *, config: Config, label_set: LabelSet
) -> list[str]:
    """Set networks to the weights of another, maybe smaller run.

    What the source lacks stays as it is; see engine/growth.py and grown_weights.py.

    Args:
        networks: by name: generator, discriminator and maybe encoder.
        folder: a run folder of tools/train.py, whose newest checkpoint is taken, or a model folder
            of tools/convert.py or tools/export.py --trainable.
        config: what the networks were built by.
        label_set: their labels.

    Returns:
        for people: which layers carry over and which start fresh, a line for every network.

    Raises:
        ConfigError: names every difference that is more than growing.
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
            f"{folder}: a run cannot begin with these weights: {'; '.join(problems)}; change the "
            "configuration, or begin without",
            code="init_differs",
        )
    lines += [
        _carry_over(name, network, source, config=config) for name, network in networks.items()
    ]
    return lines


def check_same_networks(run: RunFolder, config: Config, label_set: LabelSet) -> None:
    """Refuse to go on with networks or labels other than the run's.

    Raises:
        ConfigError: names what differs.
    """
    old = run.config
    changes = network_changes(old, config)
    if config.encoder.style_dim:  # the generator makes a style's features for this size
        for name in ("crop_size", "aspect_ratio"):
            changes[f"data.{name}"] = getattr(old.data, name), getattr(config.data, name)
    for field in ("method", *LEARNING_WITH[config.distillation.method]):
        name = f"distillation.{field}"
        changes[name] = old.value(name), config.value(name)
    if not old.fade_in_images or not config.fade_in_images:  # one layer more or less
        changes["fade_in_images"] = old.fade_in_images, config.fade_in_images
    differences = [
        f"{name} was {before}, is {now}" for name, (before, now) in changes.items() if before != now
    ]
    if run.label_set.fingerprint() != label_set.fingerprint():
        differences.append("the label set is another one")
    if differences:
        raise ConfigError(
            f"{run.path}: this run was started with other networks: {'; '.join(differences)}; "
            "use another --run folder or the old configuration",
            code="run_differs",
        )


def begin(
    learner: Learner,
    run: RunFolder,
    *,
    config: Config,
    label_set: LabelSet,
    say: Callable[..., None],
) -> None:
    """Go on from the newest checkpoint of a run; without one, begin with ``config.init_from``.

    Lines for people go to ``say``.

    Raises:
        ConfigError, ModelError: as ``source_of``, ``begin_with`` and ``check_same_networks``; or
            there are checkpoints, but none can be read.
    """
    if config.compute.amp and not on_gpu():
        say("compute.amp is for GPUs; on this CPU everything stays as it is")
    say(learner.convolutions.line())
    start = source_of(config, init=None)
    state = run.latest(warn=say)
    if state is not None:
        check_same_networks(run, config, label_set)
        learner.load(state)
        say(*learner.convolutions.change_since(run.environment.get("convolutions")))
        say(f"going on from {learner.images_seen} images in {run.path}")
    elif start is not None:
        networks = dict(learner.networks.trained())
        say(*begin_with(networks, start, config=config, label_set=label_set))
        if config.distillation.method == "omgd":
            say(begin_as(learner.teachers[1], learner.networks))
        learner.start_averages()


def settle_projection(discriminator: CombinedDiscriminator, batches: BatchSource) -> None:
    """Let projected heads, where there are any, know the photos, once in a run's life.

    Every process measures the same pictures, and so has the same numbers.

    Raises:
        ModelError: heads that came from a checkpoint have learned on another network.
        DataError: a photo cannot be read.
    """
    if discriminator.projected is None:
        return
    projection = discriminator.projected.projection
    projection.check_network()
    if not projection.measured:
        views = (batches.view(position).photo for position in range(MEASURED))
        projection.measure(paddle.to_tensor(to_network(view[None])) for view in views)


def _carry_over(part: str, network: nn.Layer, source: Source, *, config: Config) -> str:
    """Set one network; what was done, in words."""
    if part not in source.weights:
        return f"{part}: all layers are fresh, {source.name} has no {part}"
    weights, notes = source.weights[part], []
    if part == "generator" and clips(source.config, config):
        if config.distillation.student_start == "scratch":
            return "generator: all layers are fresh, as distillation.student_start has it"
        source = pruned_source(source, config.generator)
        weights, notes = source.weights[part], ["of its channels those with the best scores"]
    if part == "generator":
        weights, more = grown_generator(network, weights, old=source.config, new=config)
        notes += more
    if part == "discriminator":
        weights, notes = grown_discriminator(weights, old=source.config, new=config)
    fresh = fresh_layers(part, network, old=source.config, new=config)
    own = network.state_dict()
    load_state(
        network,
        {name: value for name, value in weights.items() if _top(name) not in fresh}
        | {name: value for name, value in own.items() if _top(name) in fresh},
        where=f"{source.name}, {part}",
    )
    layers = {name.rpartition(".")[0] for name in own}  # those with weights of their own
    carried = [layer for layer in layers if _top(layer) not in fresh]
    count = "all" if len(carried) == len(layers) else f"{len(carried)} of"
    names = dict.fromkeys(map(_top, own))
    line = (
        f"{part}: {count} {len(layers)} layers carry over from {source.name}: "
        f"{', '.join(name for name in names if name not in fresh)}"
    )
    if fresh:
        notes = [f"fresh: {', '.join(name for name in names if name in fresh)}", *notes]
    return "; ".join([line, *notes])


def _top(name: str) -> str:
    """The layer of the network itself that a tensor or layer belongs to."""
    return name.partition(".")[0]
