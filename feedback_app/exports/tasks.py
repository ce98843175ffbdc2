"""Writing a curated set out; its handler is free of torch, so that a command can do it quickly."""

from feedback_app.exports.services import write_export

__all__ = ["write_export"]
