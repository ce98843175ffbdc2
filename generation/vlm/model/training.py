"""The four stages of a VLM, from instructions to a folder; each is taken up where it was left."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoTokenizer, LlavaForConditionalGeneration, PreTrainedTokenizerFast

from generation.diffusion.stages import StagedTraining
from generation.specs import VlmSpec
from generation.training import processes
from generation.training.devices import device
from generation.training.loop import Plan, Trainee, train
from generation.training.schedules import warm_up_share_then_cosine
from generation.vlm.instructions.folders import picture_folders
from generation.vlm.model.answering import AnswerLearner
from generation.vlm.model.assembly import Shape, assemble, give_backbone, save
from generation.vlm.model.encoder import EncoderLearner, settle, standardise
from generation.vlm.model.eye import EyeConfig
from generation.vlm.model.folders import place_of, require_loadable
from generation.vlm.model.language import LanguageLearner, as_tokens, told_apart
from generation.vlm.model.rows import CAPTION, Row, read_rows, statements
from generation.vlm.model.seen import Seen, see
from generation.vlm.model.wording import Words, train_tokenizer

SUMMARISE = "findings summarisation"
OFTEN = 20
"""How often answers and options stand in the tokenizer's text, so that each is a token or two."""
CARD = "vlm.json"
ENCODER_RATE = 0.01
WARM_UP_SHARE = 0.05


class VlmTraining(StagedTraining[VlmSpec]):
    """A VLM is trained in four stages, on instructions that were built before."""

    @property
    def total(self) -> int:
        spec = self.spec
        return spec.language_steps + spec.encoder_steps + spec.bridge_steps + spec.instruction_steps

    @cached_property
    def folder(self) -> Path:
        return Path(self.spec.instructions)

    @cached_property
    def rows(self) -> list[Row]:
        """The rows of the tasks that are taught, of the training split."""
        tasks = {*self.spec.tasks, SUMMARISE}
        return [row for row in read_rows(self.folder, "train") if row.task in tasks]

    @cached_property
    def of_pictures(self) -> list[Row]:
        return [row for row in self.rows if row.images]

    @cached_property
    def picture_folders(self) -> dict[str, Path]:
        return picture_folders(self.folder)

    @cached_property
    def eye(self) -> EyeConfig:
        spec = self.spec
        return EyeConfig(
            image_size=spec.image_size,
            grid=spec.grid,
            hidden_size=spec.eye_width,
            queries=spec.queries,
        )

    def run(self, model: Path) -> None:
        tokenizer = self.tokenizer()
        network = self.begin(tokenizer).to(device())
        if device().type == "cpu":
            # For sequences of a few dozen tokens, torch's fused attention takes a third longer.
            network.model.language_model.set_attn_implementation("eager")
        self.learn_language(network, tokenizer)
        if self.total > self.spec.language_steps:
            self.learn_of_pictures(network, tokenizer)
        if processes.rank() == 0:
            self.publish(model, lambda folder: self.write(network, tokenizer, folder))

    def learn_of_pictures(
        self, network: LlavaForConditionalGeneration, tokenizer: PreTrainedTokenizerFast
    ) -> None:
        if processes.rank() == 0:
            self.look(network)
        processes.hand_on(self.checkpoint)
        seen = self.look(network)
        self.learn_to_see(network, tokenizer, seen)
        self.learn_to_tell(network, tokenizer, seen)
        self.learn_to_answer(network, tokenizer, seen)

    def write(
        self,
        network: LlavaForConditionalGeneration,
        tokenizer: PreTrainedTokenizerFast,
        folder: Path,
    ) -> None:
        """The folder of the version, with what it was taught."""
        save(network.cpu(), tokenizer, folder)
        sources = sorted({row.source for row in self.rows})
        said = {"tasks": sorted({row.task for row in self.rows}), "sources": sources}
        (folder / CARD).write_text(json.dumps(said, indent=2) + "\n")

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """Learnt once from what will be asked and answered; the same rows give the same one."""
        if self.spec.base:
            return AutoTokenizer.from_pretrained(place_of(self.spec.base))
        texts = [f"{row.stem}\n{row.answer}" for row in self.rows]
        short = sorted({text for row in self.rows if row.images
                        for text in (row.answer, *row.options)})  # fmt: skip
        return train_tokenizer([*texts, *short * OFTEN], size=self.spec.vocabulary)

    def begin(self, tokenizer: PreTrainedTokenizerFast) -> LlavaForConditionalGeneration:
        spec = self.spec
        if spec.base:
            require_loadable(place_of(spec.base))
            return LlavaForConditionalGeneration.from_pretrained(
                place_of(spec.base), dtype=torch.float32, use_safetensors=True
            )
        shape = Shape(width=spec.width, layers=spec.layers, heads=spec.heads)
        network = assemble(tokenizer, self.eye, shape, seed=spec.seed)
        give_backbone(network, place_of(spec.eye))
        return network

    def learn_language(
        self, network: LlavaForConditionalGeneration, tokenizer: PreTrainedTokenizerFast
    ) -> None:
        if self.spec.base or not self.spec.language_steps:
            return
        only(network, [network.model.language_model])
        tokens = as_tokens(told_apart(self.rows), Words(tokenizer))
        self.train("language", LanguageLearner(network, tokens), steps=self.spec.language_steps,
                   rate=self.spec.language_rate, after=0)  # fmt: skip

    def look(self, network: LlavaForConditionalGeneration) -> Seen:
        names = sorted({name for row in self.of_pictures for name in row.images})
        kept = Path(self.spec.seen) if self.spec.seen else self.checkpoint / "seen"
        after = self.spec.language_steps

        def report(done: int, total: int) -> None:
            note = f"Looking at pictures ({done:,} of {total:,})"
            self.report(note, after=after)(0, {})

        eye = network.model.vision_tower
        return see(eye, names, self.picture_folders, kept, report=report)

    def learn_to_see(
        self,
        network: LlavaForConditionalGeneration,
        tokenizer: PreTrainedTokenizerFast,
        seen: Seen,
    ) -> None:
        """The adapter, by contrast with phrases; without steps it stays a random projection."""
        spec, eye = self.spec, network.model.vision_tower
        if spec.base and not spec.encoder_steps and eye.is_measured:
            return
        only(network, [eye.adapter])
        standardise(eye, seen.cells)
        said = statements(self.of_pictures)
        if spec.encoder_steps and said:
            torch.manual_seed(spec.seed)
            learner = EncoderLearner(network, Words(tokenizer), seen, said, ridge=spec.ridge)
            self.train("encoder", learner, steps=spec.encoder_steps, rate=ENCODER_RATE,
                       after=spec.language_steps, weight_decay=0.0)  # fmt: skip
        settle(eye, seen.cells)

    def learn_to_tell(
        self,
        network: LlavaForConditionalGeneration,
        tokenizer: PreTrainedTokenizerFast,
        seen: Seen,
    ) -> None:
        """The bridge alone, by captions."""
        spec = self.spec
        captions = [row for row in self.of_pictures if row.task == CAPTION]
        self.answer("bridge", network, tokenizer, captions, seen, steps=spec.bridge_steps,
                    rate=spec.bridge_rate, after=spec.language_steps + spec.encoder_steps,
                    learning=bridge_of(network))  # fmt: skip

    def learn_to_answer(
        self,
        network: LlavaForConditionalGeneration,
        tokenizer: PreTrainedTokenizerFast,
        seen: Seen,
    ) -> None:
        """Bridge and decoder, by all instructions; the eye stays as it is."""
        spec = self.spec
        decoder = network.model.language_model
        adapted = with_lora(decoder, rank=spec.lora_rank, seed=spec.seed)
        learning = [*bridge_of(network), adapted or decoder]
        self.answer("instructions", network, tokenizer, self.of_pictures, seen,
                    steps=spec.instruction_steps, rate=spec.instruction_rate,
                    after=self.total - spec.instruction_steps, learning=learning)  # fmt: skip
        if adapted is not None:
            network.model.language_model = adapted.merge_and_unload()

    def answer(
        self,
        stage: str,
        network: LlavaForConditionalGeneration,
        tokenizer: PreTrainedTokenizerFast,
        rows: Sequence[Row],
        seen: Seen,
        *,
        steps: int,
        rate: float,
        after: int,
        learning: Sequence[torch.nn.Module],
    ) -> None:
        if not steps or not rows:
            return
        only(network, learning)
        learner = AnswerLearner(network, Words(tokenizer), rows, seen,
                                batch_size=self.spec.batch_size, learning=learning)  # fmt: skip
        self.train(stage, learner, steps=steps, rate=rate, after=after)

    def train(
        self,
        stage: str,
        learner: Trainee,
        *,
        steps: int,
        rate: float,
        after: int,
        weight_decay: float = 0.05,
    ) -> None:
        plan = Plan(
            steps=steps,
            learning_rate=rate,
            weight_decay=weight_decay,
            schedule=warm_up_share_then_cosine(WARM_UP_SHARE, total=steps),
            betas=(0.9, 0.98),
            clipped_norm=1.0,
            seed=self.spec.seed,
            checkpoint_every=self.spec.checkpoint_every,
            is_shared=True,
        )
        train(learner, plan, checkpoint=self.checkpoint / f"{stage}.pt",
              report=self.report(stage, after=after))  # fmt: skip


def only(network: torch.nn.Module, learning: Sequence[torch.nn.Module]) -> None:
    """Let these parts learn and nothing else; of a decoder with an adapter, the adapter alone."""
    network.requires_grad_(False)
    for part in learning:
        for name, weight in part.named_parameters():
            weight.requires_grad_(not isinstance(part, PeftModel) or "lora_" in name)


def with_lora(decoder: torch.nn.Module, *, rank: int, seed: int) -> PeftModel | None:
    """Put an adapter into the decoder, in place; nothing at rank 0."""
    if not rank:
        return None
    torch.manual_seed(seed)
    return get_peft_model(
        decoder, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear")
    )


def bridge_of(network: LlavaForConditionalGeneration) -> list[torch.nn.Module]:
    """Returns what stands between eye and decoder."""
    return [network.model.multi_modal_projector, network.model.vision_tower.bridge]
