"""How questions and answers become tokens, for the decoder that is trained here.

A question is ``<s><user><image>...question<assistant>``, and its answer ends with ``</s>``.
Options are listed as text and answered as text: a small decoder spends itself on letters.
"""

from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

PAD, START, END, IMAGE, USER, ASSISTANT = "<pad>", "<s>", "</s>", "<image>", "<user>", "<assistant>"
SPECIAL = (PAD, START, END, IMAGE, USER, ASSISTANT)
LONGEST = 512
TEMPLATE = (
    "{% for message in messages %}{{ '<user>' if message['role'] == 'user' else '<assistant>' }}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{{ '<image>' if part['type'] == 'image' else part['text'] }}{% endfor %}{% endif %}"
    "{{ '</s>' if message['role'] == 'assistant' else '' }}{% endfor %}"
    "{{ '<assistant>' if add_generation_prompt else '' }}"
)
"""The same form in the words of transformers' chat templates."""


def train_tokenizer(texts: Iterable[str], *, size: int) -> PreTrainedTokenizerFast:
    """Learn byte pairs of texts; a word is one token at the start of an answer and within."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.ByteLevel()]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A", special_tokens=[(START, SPECIAL.index(START))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=START,
        eos_token=END,
        additional_special_tokens=[IMAGE, USER, ASSISTANT],
        model_max_length=LONGEST,
        padding_side="left",
        chat_template=TEMPLATE,
        extra_special_tokens={"image_token": IMAGE},
    )


def with_options(stem: str, options: Sequence[str]) -> str:
    """Returns the question with its options, in the order that they are to be listed in."""
    return f"{stem}\nOptions: {', '.join(options)}" if options else stem


class Words:
    """A tokenizer by the parts that sequences are put together from."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer = tokenizer
        self.pad, self.start, self.end, self.image, self.user, self.assistant = (
            tokenizer.convert_tokens_to_ids(list(SPECIAL))
        )

    def __len__(self) -> int:
        return len(self.tokenizer)

    def of(self, text: str) -> list[int]:
        """Returns the tokens of a text alone."""
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def question(self, text: str, *, image_tokens: int) -> list[int]:
        """Everything before the answer."""
        seen = [self.image] * image_tokens
        return [self.start, self.user, *seen, *self.of(text), self.assistant]

    def answer(self, text: str) -> list[int]:
        """Returns an answer to learn, with its end."""
        return [*self.of(text), self.end]
