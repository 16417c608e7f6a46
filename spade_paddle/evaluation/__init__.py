"""How good painting models are, measured on the scenes of a data set."""
