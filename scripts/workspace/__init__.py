"""The job's own Windmill: its state, storage, jobs and progress."""
