"""Generator, encoder and discriminator, built from a configuration in build.py only."""
