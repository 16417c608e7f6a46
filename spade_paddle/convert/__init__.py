"""Converts weights of the public SPADE, CLADE and PaddleGAN photopen models to a model folder."""
