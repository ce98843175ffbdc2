"""Lists that people work with: searched, filtered, sorted, kept as views, acted on by ticking."""
