"""A stand-in for Modal's control plane and workers on loopback; `Modal` is all that other rooms need."""

from infra.localcloud.modal.server import Modal

__all__ = ["Modal"]
