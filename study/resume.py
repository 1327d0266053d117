"""Going on with a study: what may differ from how it was started, and what may not."""
