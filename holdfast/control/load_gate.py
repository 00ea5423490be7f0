"""The load gate: which loads may run now. It knows nothing of who asks for it."""

from holdfast.safety.permit import LoadPermit

__all__ = ["LoadPermit"]
