"""TD3-BC, IQL and Cal-QL beside plain PyTorch re-statements, on the same rows."""
