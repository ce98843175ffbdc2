"""Webhooks: other systems are told what happened, by the Standard Webhooks specification."""
