"""The search behind the family `quick`: what was tried, on which tasks, and what came out."""
