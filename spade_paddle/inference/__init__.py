"""From a trained run to a model folder, and from a model folder to pictures."""
