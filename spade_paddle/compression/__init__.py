"""Smaller generators out of large ones: channels are dropped until a budget is kept (CAT)."""
