"""Notices: what somebody should know without looking for it, in the product and by e-mail."""
