"""Fréchet distance between two samples of features (Heusel et al., 2017, 1706.08500)."""

import torch


def fid(a: torch.Tensor, b: torch.Tensor) -> float:
    """Measure |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^1/2) of features N x D and M x D.

    It is biased upwards where N or M are not many times D, so figures of different numbers
    of images do not compare. N and M are 2 or more.
    """
    a, b = a.double(), b.double()
    root = _root(torch.cov(a.T).reshape(a.shape[1], -1))
    other = torch.cov(b.T).reshape(b.shape[1], -1)
    # tr (C_a C_b)^1/2 is that of the symmetric (C_a^1/2 C_b C_a^1/2)^1/2.
    between = torch.linalg.eigvalsh(root @ other @ root).clamp_min(0).sqrt().sum()
    distance = (a.mean(0) - b.mean(0)).square().sum()
    return float(distance + root.square().sum() + other.trace() - 2 * between)


def _root(covariance: torch.Tensor) -> torch.Tensor:
    values, vectors = torch.linalg.eigh(covariance)
    return vectors @ torch.diag(values.clamp_min(0).sqrt()) @ vectors.T
