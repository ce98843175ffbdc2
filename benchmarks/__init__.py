"""What is measured, and on which machine: ``make bench``."""
