import pytest
import torch

from generation.quality.kid import kid


def test_kid_has_the_value_computed_by_hand() -> None:
    """With D = 1, k(a, b) = (ab + 1)^3.

    Within a = (0, 1, 2): pairs 1, 1, 27, mean 29/3. Within b = (1, 1, 0): 8, 1, 1,
    mean 10/3. Across: row 0 is 1, 1, 1; row 1 is 8, 8, 1; row 2 is 27, 27, 1: 75/9.
    """
    a = torch.tensor([[0.0], [1.0], [2.0]])
    b = torch.tensor([[1.0], [1.0], [0.0]])
    assert kid(a, b).value == pytest.approx(29 / 3 + 10 / 3 - 2 * 75 / 9)


def test_the_standard_error_agrees_with_leaving_each_image_out() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.rand(count, 4, generator=generator, dtype=torch.float64) for count in (6, 5))
    variance = 0.0
    for estimates in (
        [kid(a[torch.arange(6) != left_out], b).value for left_out in range(6)],
        [kid(a, b[torch.arange(5) != left_out]).value for left_out in range(5)],
    ):
        mean = sum(estimates) / len(estimates)
        spread = sum((estimate - mean) ** 2 for estimate in estimates)
        variance += spread * (len(estimates) - 1) / len(estimates)
    assert kid(a, b).standard_error == pytest.approx(variance**0.5)


def test_two_samples_of_one_distribution_are_within_a_few_standard_errors_of_zero() -> None:
    generator = torch.Generator().manual_seed(1)
    a, b = (torch.randn(80, 8, generator=generator) for _ in range(2))
    result = kid(a, b)
    assert abs(result.value) < 3 * result.standard_error
    assert kid(a, b + 1).value > 5 * result.standard_error
