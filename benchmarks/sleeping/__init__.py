"""A trainable whose stages sleep for as long as the stages of a real sweep took."""
