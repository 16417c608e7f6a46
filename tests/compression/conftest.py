from tests.numeric import float64

__all__ = ["float64"]
