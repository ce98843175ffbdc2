"""Pages of cohorts, model versions, batches and candidates."""
