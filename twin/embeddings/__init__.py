"""Embeddings without a key or a network: all-MiniLM-L6-v2 run with numpy alone."""

from twin.embeddings.minilm import DIMENSION, MAX_TOKENS, MODEL_ID, MiniLM, get_shared_model, resize
from twin.embeddings.weights import WeightsError, WeightsFiles, locate_weights

__all__ = [
    "DIMENSION",
    "MAX_TOKENS",
    "MODEL_ID",
    "MiniLM",
    "WeightsError",
    "WeightsFiles",
    "get_shared_model",
    "locate_weights",
    "resize",
]
