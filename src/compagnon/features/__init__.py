"""What a model sees: rows brought to typed arrays, the same way in training, sealing and serving."""
