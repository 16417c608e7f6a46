"""How good models are at painting, measured on the scenes of a data set."""
