"""Our networks and losses against the article's own listings: the same numbers."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import numpy as np
import paddle
import pytest
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.layers import SPADEResnetBlock
from spade_paddle.layers.simam import simam
from spade_paddle.losses.gan import discriminator_loss, feature_matching_loss, generator_loss
from spade_paddle.losses.perceptual import VGG19_RATES, PerceptualLoss
from spade_paddle.networks.discriminator import MultiscaleDiscriminator, NLayersDiscriminator
from spade_paddle.networks.generator import SPADEGenerator
from spade_paddle.networks.widths import GeneratorWidths
from tests import numeric
from tests.article import oracle

LABELS = 5


@pytest.fixture(autouse=True)
def exact_squares(monkeypatch):
    """``x ** 2`` as ``x * x``: Paddle's own may be one rounding off on a CPU."""
    monkeypatch.setattr(paddle.Tensor, "__pow__", lambda x, exponent: paddle.square(x))


def options(**changes) -> SimpleNamespace:
    """The article's ``opt``."""
    names = {"ngf": 2, "nef": 3, "z_dim": 4, "use_vae": False, "num_upsampling_layers": "normal"}
    more = {"semantic_nc": LABELS, "norm_G": "spadebatch3x3", "crop_size": 128}
    losses = {"lambda_feat": 10.0, "lambda_vgg": 1.6, "no_vgg_loss": False}
    discriminators = {"num_D": 3, "ndf": 4, "n_layers_D": 4}
    return SimpleNamespace(**{**names, **more, **losses, **discriminators, **changes})


def normal(*shape: int, seed: int = 0) -> paddle.Tensor:
    return paddle.to_tensor(numeric.normal(*shape, seed=seed).astype(np.float32))


def ours_for(opt: SimpleNamespace) -> SPADEGenerator:
    coarse = opt.crop_size // 2 ** oracle.DOUBLINGS[opt.num_upsampling_layers]
    return SPADEGenerator(
        semantic_nc=LABELS,
        widths=GeneratorWidths.of(
            opt.ngf,
            upsampling=opt.num_upsampling_layers,
            **({"latent_channels": 16 * opt.nef} if opt.use_vae else {}),
        ),
        make_block=partial(SPADEResnetBlock, label_nc=LABELS, spectral_norm=False),
        activation=nn.GELU(),
        upsampling=opt.num_upsampling_layers,
        style_dim=opt.z_dim if opt.use_vae else 0,
        latent_size=(coarse, coarse),
    )


def pictures(opt: SimpleNamespace, changed=None) -> tuple[np.ndarray, np.ndarray]:
    """The article's picture and ours, of the same weights."""
    paddle.seed(1)
    theirs, ours = oracle.generator(opt, changed=changed), ours_for(opt)
    state = {name: value + 0.1 * normal(*value.shape) for name, value in ours.state_dict().items()}
    for name in state:
        if name.endswith("._variance"):
            state[name] = state[name].abs() + 0.5
    assert set(state) == set(theirs.state_dict())
    for network in (theirs, ours):
        network.set_state_dict(state)
        network.train()
    labels = np.random.default_rng(2).integers(0, LABELS, (2, opt.crop_size, opt.crop_size))
    segmap = F.one_hot(paddle.to_tensor(labels), LABELS).transpose([0, 3, 1, 2])
    z = normal(2, opt.z_dim) if opt.use_vae else None
    with paddle.no_grad():
        return theirs(segmap, z).numpy(), ours(segmap, style=z).numpy()


@pytest.mark.parametrize("use_vae", [False, True])
@pytest.mark.parametrize("upsampling", ["normal", "more", "most"])
def test_generator_gives_the_picture_of_the_article_bit_for_bit(upsampling, use_vae):
    side = 256 if upsampling == "most" else 128  # of one pixel the article's SimAM is 0/0
    opt = options(num_upsampling_layers=upsampling, use_vae=use_vae, crop_size=side)
    theirs, ours = pictures(opt)
    assert theirs.shape == (2, 3, side, side) and theirs.std() > 0.05
    assert np.abs(theirs - ours).max() == 0.0


@pytest.mark.parametrize(
    "changed",
    [
        ("normalized * (1 + gamma) + beta", "normalized * gamma + beta"),
        ("self.conv_img(F.gelu(x))", "self.conv_img(F.relu(x))"),
        ("n = w * h - 1", "n = w * h"),
        ("nn.GELU()", "nn.ReLU()"),
    ],
)
def test_another_formula_in_the_generator_is_seen(changed):
    theirs, ours = pictures(options(), changed)
    assert np.abs(theirs - ours).max() > 1e-5


def predictions(opt, changed=None) -> tuple[list, list]:
    """Of the article's discriminator and of ours, of the same weights."""
    paddle.seed(1)
    theirs = oracle.discriminator(opt, changed=changed)
    scale = partial(NLayersDiscriminator, LABELS + 3, ndf=opt.ndf, num_layers=opt.n_layers_D)
    ours = MultiscaleDiscriminator([scale() for _ in range(opt.num_D)])
    assert set(ours.state_dict()) == set(theirs.state_dict())
    ours.set_state_dict(theirs.state_dict())
    x = normal(4, LABELS + 3, 96, 64)
    theirs.eval()
    ours.eval()
    with paddle.no_grad():
        return theirs(x), ours(x)


def largest_difference(theirs, ours) -> float:
    assert [len(scale) for scale in theirs] == [len(scale) for scale in ours]
    pairs = [pair for scales in zip(theirs, ours) for pair in zip(*scales)]
    return max(float((left - right).abs().max()) for left, right in pairs)


def test_discriminator_gives_all_outputs_of_the_article_bit_for_bit():
    theirs, ours = predictions(options())
    assert len(theirs) == 3 and largest_difference(theirs, ours) == 0.0


def test_another_pooling_in_the_discriminator_is_seen():
    theirs, ours = predictions(options(), ("nn.AvgPool2D(3, 2, 1)", "nn.MaxPool2D(3, 2, 1)"))
    assert largest_difference(theirs, ours) > 1e-3


@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (1, 1, 1, 2), (2, 4, 64, 64)])
def test_simam_is_that_of_the_article_bit_for_bit(shape):
    x = normal(*shape)
    assert np.array_equal(oracle.run("simam")["simam"](x).numpy(), simam(x).numpy())


def halves(pred: list, batch_size: int) -> tuple[list, list]:
    """The fake and the real half of a prediction of both in one batch."""
    fake = [[stage[:batch_size] for stage in scale] for scale in pred]
    return fake, [[stage[batch_size:] for stage in scale] for scale in pred]


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        (None, True),
        (("-pred_i - 1", "-pred_i + 1"), False),
        (("df_ganloss /= len(pred)", "df_ganloss /= 1"), False),
        (("new_loss = -pred_i.mean()", "new_loss = pred_i.mean()"), False),
    ],
)
def test_adversarial_losses_are_those_of_the_article(changed, same):
    pred, _ = predictions(options())
    scope = oracle.run("adversarial", changed=changed, pred=pred, batch_size=2)
    fake, real = halves(pred, 2)
    ours = [*discriminator_loss(fake, real), generator_loss(fake)]
    theirs = [scope[name] for name in ("df_ganloss", "dr_ganloss", "g_ganloss")]
    apart = max(abs(float(left) - float(right)) for left, right in zip(theirs, ours))
    assert apart < 1e-5 if same else apart > 1e-3


@pytest.mark.parametrize(("changed", "same"), [(None, True), ((" - 1)", ")"), False)])
def test_feature_matching_is_that_of_the_article(changed, same):
    opt, (pred, _) = options(), predictions(options())
    scope = oracle.run("feature_matching", changed=changed, pred=pred, batch_size=2, opt=opt)
    ours = opt.lambda_feat * feature_matching_loss(*halves(pred, 2))
    apart = abs(float(scope["g_featloss"]) - float(ours))
    assert apart < 1e-5 if same else apart > 1e-3


class FiveMaps:
    """In place of VGG19: five feature maps, by the names of its layers."""

    def __init__(self) -> None:
        paddle.seed(3)
        self.layers = {name: nn.Conv2D(3, 4, 3, stride=2) for name in VGG19_RATES}

    def check_layers(self, names) -> None:
        assert set(names) <= set(self.layers)

    def __call__(self, pictures, names):
        return {name: F.relu(self.layers[name](pictures)) for name in names}


@pytest.mark.parametrize(("changed", "same"), [(None, True), (("1.0 / 16", "1.0 / 8"), False)])
def test_perceptual_loss_is_that_of_the_article(changed, same):
    opt, network = options(), FiveMaps()
    fake, real = normal(2, 3, 32, 32, seed=1), normal(2, 3, 32, 32, seed=2)
    scope = oracle.run(
        "perceptual",
        changed=changed,
        opt=opt,
        fake_img=fake,
        image=real,
        vgg19=lambda x: (None, list(network(x, tuple(VGG19_RATES)).values())),
        resize=lambda picture, opt, side: picture,
        l1loss=nn.L1Loss(),
    )
    ours = opt.lambda_vgg * PerceptualLoss(network, VGG19_RATES)(fake, real)
    apart = abs(float(scope["g_vggloss"]) - float(ours))
    assert apart < 1e-5 if same else apart > 1e-3


class Painting:
    """A small encoder, generator and discriminator, one linear layer each."""

    def __init__(self) -> None:
        paddle.seed(4)
        self.encoder, self.generator, self.discriminator = (nn.Linear(3, 3) for _ in range(3))

    def losses(self, step: int, *, detached: bool = False) -> dict[str, paddle.Tensor]:
        """By the article's names; all of them reach the generator, and g_vaeloss the encoder."""
        photo, segmap = normal(4, 3, seed=step), normal(4, 3, seed=100 + step)
        z = self.encoder(photo)
        fake = paddle.tanh(self.generator(z) + segmap)
        fake_judged, real_judged = self.discriminator(fake), self.discriminator(photo)
        real_judged = real_judged.detach() if detached else real_judged
        return {
            "g_ganloss": -fake_judged.mean(),
            "g_featloss": F.l1_loss(fake_judged, real_judged),
            "g_vggloss": F.l1_loss(fake, photo),
            "g_vaeloss": 0.05 * (z * z).sum(),
        }

    def moved(self) -> list[np.ndarray]:
        layers = self.encoder, self.generator
        return [parameter.numpy() for layer in layers for parameter in layer.parameters()]


def learned_by_the_article(*, use_vae: bool, changed: tuple[str, str] | None = None) -> list:
    """After some steps of its listing, with an optimizer for the encoder and one for the rest."""
    painting = Painting()
    optimizers = {
        name: paddle.optimizer.Adam(0.1, beta1=0.5, parameters=layer.parameters())
        for name, layer in (("opt_e", painting.encoder), ("opt_g", painting.generator))
    }
    for step in range(5):
        opt = options(use_vae=use_vae)
        oracle.run("total", changed=changed, opt=opt, **optimizers, **painting.losses(step))
    return painting.moved()


def learned_by_one_optimizer(*, use_vae: bool) -> list:
    """As engine/updates.py: the generator's Adam moves the encoder too, in one backward pass, the
    real branch of feature matching detached."""
    painting = Painting()
    layers = [painting.generator, *([painting.encoder] if use_vae else [])]
    adam = paddle.optimizer.Adam(
        0.1, beta1=0.5, parameters=[p for layer in layers for p in layer.parameters()]
    )
    for step in range(5):
        losses = painting.losses(step, detached=True)
        sum(value for name, value in losses.items() if use_vae or name != "g_vaeloss").backward()
        adam.step()
        adam.clear_grad()
    return painting.moved()


@pytest.mark.parametrize("use_vae", [False, True])
def test_one_adam_for_generator_and_encoder_does_what_the_articles_two_do(use_vae):
    theirs, ours = (f(use_vae=use_vae) for f in (learned_by_the_article, learned_by_one_optimizer))
    assert max(np.abs(left - right).max() for left, right in zip(theirs, ours)) == 0.0


def test_an_encoder_that_is_not_moved_is_seen():
    changed = learned_by_the_article(use_vae=True, changed=("opt_e.step()", "pass"))
    ours = learned_by_one_optimizer(use_vae=True)
    assert max(np.abs(left - right).max() for left, right in zip(changed, ours)) > 1e-3
