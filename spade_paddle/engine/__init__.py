"""Training: steps, the loop, checkpoints, averaging, logs. Importing this loads no paddle."""
