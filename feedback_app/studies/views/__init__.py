"""The coordinator's pages of studies."""
