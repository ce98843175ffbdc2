"""What a linear probe on a frozen encoder tells, beside what a VLM with that encoder answers."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

STRENGTH = 0.003
"""The C of the probes: few hundred pictures and more numbers of each bear no weaker decay."""


def probe(
    training: np.ndarray, truth: np.ndarray, asked: np.ndarray, *, strength: float = STRENGTH
) -> np.ndarray:
    """Teach a logistic regression on N x F and N of 0 and 1; the probability of 1 for M x F."""
    fitted = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=300))
    fitted.fit(training, truth)
    probabilities: np.ndarray = fitted.predict_proba(asked)[:, 1]
    return probabilities
