"""Networks trained on ImageNet: losses, discriminators and judges see pictures through them."""
