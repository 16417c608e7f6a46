"""What is wrong with a data set, what to do about it, and a repaired copy."""
