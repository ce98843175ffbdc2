"""What a prompt asks for, as numbers: findings, view, sex and age."""

import re

import torch

from generation.conditioning.findings import FINDINGS, NORMAL, findings_in
from generation.conditioning.prompts import SEXES, VIEWS

AGE = re.compile(r"\b(\d{1,3}) years\b")
AGE_UNIT_YEARS = 20.0
MIDDLE_AGE_YEARS = 50.0
CONDITION_SIZE = len(FINDINGS) + 1 + len(VIEWS) + len(SEXES) + 2
"""There are numbers for findings, none of them, views, sexes, the age and whether it is named."""


def embed_prompt(prompt: str) -> torch.Tensor:
    """Give ones for what the prompt names, zeros for what it leaves out; shape CONDITION_SIZE."""
    text = prompt.lower()
    named = findings_in(prompt)
    numbers = [float(finding in named) for finding in FINDINGS]
    numbers.append(float(NORMAL in text))
    numbers += [
        float(re.search(rf"\b{word.lower()}\b", text) is not None)
        for word in (*VIEWS, *SEXES.values())
    ]
    age = AGE.search(text)
    years = float(age.group(1)) if age else MIDDLE_AGE_YEARS
    numbers += [(years - MIDDLE_AGE_YEARS) / AGE_UNIT_YEARS, float(age is not None)]
    return torch.tensor(numbers)


def embed_prompts(prompts: list[str]) -> torch.Tensor:
    """Stack the numbers of several prompts: N x CONDITION_SIZE."""
    return torch.stack([embed_prompt(prompt) for prompt in prompts])
