"""What a linear probe on a frozen encoder tells, beside what a VLM with that encoder answers."""

import numpy as np
from sklearn.linear_model import LogisticRegression

STRENGTH = 0.003
"""The C of the probes: few hundred pictures and more numbers of each bear no weaker decay."""


def probe(
    training: np.ndarray, truth: np.ndarray, asked: np.ndarray, *, strength: float = STRENGTH
) -> np.ndarray:
    """Teach a logistic regression on N x F and N of 0 and 1; the probability of 1 for M x F."""
    weight, bias = fit(training, truth, strength=strength)
    probabilities: np.ndarray = 1 / (1 + np.exp(-(asked @ weight + bias)))
    return probabilities


def fit(
    training: np.ndarray, truth: np.ndarray, *, strength: float = STRENGTH
) -> tuple[np.ndarray, float]:
    """Weights, F, and bias of a logistic regression on what is standardised first."""
    mean, deviation = training.mean(axis=0), np.maximum(training.std(axis=0), 1e-6)
    fitted = LogisticRegression(C=strength, max_iter=300)
    fitted.fit((training - mean) / deviation, truth)
    weight = fitted.coef_[0] / deviation
    return weight.astype(np.float32), float(fitted.intercept_[0] - weight @ mean)
