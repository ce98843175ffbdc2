"""A small CLIP text encoder and a tokenizer that fits the project's prompts."""

import json

import torch
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

MAX_TOKENS = 48
START, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"


def train_tokenizer(prompts: list[str], *, vocabulary_size: int = 1_024) -> CLIPTokenizer:
    """Learn byte-pair merges; the whole byte alphabet is in, so no character is unknown."""
    splitting = CLIPTokenizer().backend_tokenizer
    learner = Tokenizer(BPE(end_of_word_suffix=WORD_END))
    learner.normalizer = splitting.normalizer
    learner.pre_tokenizer = splitting.pre_tokenizer
    trainer = BpeTrainer(
        vocab_size=vocabulary_size,
        initial_alphabet=sorted(ByteLevel.alphabet()),
        end_of_word_suffix=WORD_END,
        show_progress=False,
    )
    learner.train_from_iterator(prompts, trainer)
    merges = [tuple(merge) for merge in json.loads(learner.to_str())["model"]["merges"]]
    alphabet = sorted(ByteLevel.alphabet())
    tokens = [*alphabet, *(letter + WORD_END for letter in alphabet)]
    tokens += [token for merge in merges if (token := "".join(merge)) not in tokens]
    vocabulary = {token: number for number, token in enumerate([*tokens, START, END])}
    return CLIPTokenizer(vocabulary, merges, model_max_length=MAX_TOKENS)


def build_text_encoder(tokenizer: CLIPTokenizer, *, width: int, layers: int) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=4 * width,
            num_hidden_layers=layers,
            num_attention_heads=max(1, width // 32),
            max_position_embeddings=MAX_TOKENS,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def token_ids(tokenizer: CLIPTokenizer, prompts: list[str]) -> torch.Tensor:
    """Token ids, N x MAX_TOKENS, of prompts known to be short enough to be trained on."""
    encoded = tokenizer(
        prompts,
        padding="max_length",
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    )
    ids: torch.Tensor = encoded.input_ids
    return ids
