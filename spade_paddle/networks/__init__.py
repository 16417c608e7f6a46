"""Generator, encoder and discriminator; only build.py builds them from a configuration."""
