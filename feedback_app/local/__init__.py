"""PostgreSQL, Redis and the whole demo on one machine, without root and without Docker."""
