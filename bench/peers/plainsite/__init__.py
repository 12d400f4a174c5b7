"""What one writes in an afternoon; runs in an environment of its own and imports nothing of ours."""
