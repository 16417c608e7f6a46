"""Networks trained on ImageNet, whose features losses, discriminators and the judge use."""
