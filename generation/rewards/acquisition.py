"""How much a reading of a case would teach: where the members of an ensemble disagree.

Query by committee (Seung, Opper and Sompolinsky 1992): read what the committee is divided
about. The variance over members of a probability leaves out what a reader's noise adds, on
which all of them agree, as mutual information does (BALD, Houlsby et al. 2011).
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def preference_disagreement(utilities: Floats) -> float:
    """Say how divided M members are about a case of k images (utilities M x k); 0 to 0.25.

    The mean over pairs of the variance over members of P(one is preferred to the other), a
    sigmoid of the difference of utilities (Bradley and Terry 1952).
    """
    pairs = combinations(range(utilities.shape[1]), 2)
    return float(
        np.mean([_sigmoid(utilities[:, one] - utilities[:, other]).var() for one, other in pairs])
    )


def inverse_propensity(propensity: float, *, uniform: float, limit: float) -> float:
    """Weight a reading as if all cases had been equally likely, from 1/limit to limit.

    ``propensity`` is how likely its case was to be chosen, ``uniform`` how likely it would
    have been by lot alone. Clipped, since a single rare reading would outweigh all others
    (Ionides 2008, truncated importance sampling).
    """
    return float(np.clip(uniform / propensity, 1 / limit, limit))


def _sigmoid(values: Floats) -> Floats:
    """Compute it without scipy, which the process that serves reading pages starts without."""
    return (1 + np.tanh(values / 2)) / 2
