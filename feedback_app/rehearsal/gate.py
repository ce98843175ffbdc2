"""Whether the gate passes a child that readers taught well, and holds one that they taught badly.

Three groups of simulated readers read: the first teaches one child, the second gives the
readings that the judge, a reward model, learns from, of other prompts; the third reads what the
first did with its taste flipped, and teaches another child. Both children learn by the defaults.
"""

from dataclasses import dataclass

from feedback_app.finetuning.gates.services import start_gate
from feedback_app.finetuning.models import Gate, GateVerdict, Snapshot
from feedback_app.finetuning.services.reward_models import start_reward_model
from feedback_app.images.models import ModelVersion
from feedback_app.images.scorers.services import register_bundled_proxies
from feedback_app.rehearsal.loop import HELD_OUT_SEED, Plan, Rehearsal, Say, finish
from generation.errors import RemediableError


class WrongVerdictError(RemediableError):
    """A gate passed a bad child, or held a good one."""


@dataclass
class GateRehearsal:
    """``plan.held_out_prompts`` are those of the judge; the gate has prompts of its own."""

    plan: Plan
    say: Say

    def run(self, parent: ModelVersion) -> None:
        """Every stage in turn; raises a ``RemediableError`` at the first that fails."""
        register_bundled_proxies()
        rehearsal = Rehearsal(self.plan, self.say)
        count = self.plan.readers
        taught = rehearsal.make_candidates(
            "taught", parent, self.plan.taught_prompts, seed=self.plan.seed
        )
        judged = rehearsal.make_candidates(
            "the judge’s", parent, self.plan.held_out_prompts, seed=self.plan.seed + HELD_OUT_SEED
        )
        self.train_judge(rehearsal.take_snapshot(rehearsal.read(judged, kind="judge", after=count)))
        children = {
            "promote": rehearsal.read(taught, kind="good"),
            "hold": rehearsal.read(taught, kind="flipped", after=2 * count, is_flipped=True),
        }
        verdicts = {
            expected: self.ask(rehearsal.teach(parent, rehearsal.take_snapshot(study)))
            for expected, study in children.items()
        }
        self.require(verdicts)

    def train_judge(self, snapshot: Snapshot) -> None:
        with Rehearsal(self.plan, self.say).stage("judge") as found:
            training = start_reward_model(snapshot, name=f"Judge of {snapshot.pk}")
            result = finish(training.run)
            found += [training.name]
            found += [
                f"{name} {value:.3f}" for name, value in result.items() if isinstance(value, float)
            ]

    def ask(self, child: ModelVersion) -> GateVerdict:
        with Rehearsal(self.plan, self.say).stage(f"gate of {child.name}") as found:
            gate: Gate = start_gate(child)
            finish(gate.run)
            verdict = GateVerdict.objects.get(gate=gate)
            for rule in verdict.rules.all():
                self.say(f"  {rule.outcome}: {rule.label}. {rule.sentence}")
            found.append(f"verdict {verdict.decision}")
        return verdict

    def require(self, verdicts: dict[str, GateVerdict]) -> None:
        """The first was to be promoted, the second held."""
        wrong = [
            f"{verdict.gate.child.name} was to get “{expected}” and got “{verdict.decision}”"
            for expected, verdict in verdicts.items()
            if verdict.decision != expected
        ]
        if wrong:
            raise WrongVerdictError(
                f"The gate is wrong: {'; '.join(wrong)}.",
                remedy="Look at the rules above, and at the judge’s figures.",
            )
