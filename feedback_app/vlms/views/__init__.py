"""Pages of VLMs, of instruction data, and of the benchmark."""
