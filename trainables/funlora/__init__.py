"""FunLoRA: deep generative continual learning with functional LoRA (arXiv 2510.02631)."""
