"""Fine-tuning: its data, and the jobs made of it."""
