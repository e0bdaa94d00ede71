"""Tables as batches: their input files, the batches made of them, the answers."""
