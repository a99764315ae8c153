"""The search behind the preset `quick`: what was tried, on which tasks, and what came out."""
