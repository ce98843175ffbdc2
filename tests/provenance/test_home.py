"""The first page: what each role sees, and what it proposes next."""

from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.images.models import ModelVersion
from feedback_app.provenance.loop import new_pairs, next_step, stages


def test_readers_go_to_their_work_list_and_coordinators_see_the_loop(
    everyone: dict[str, Client],
) -> None:
    answers = {who: client.get("/") for who, client in everyone.items()}
    assert answers["nobody"]["Location"].startswith(reverse("accounts:login"))
    for reader in ("rosa", "ravi", "otto"):
        assert answers[reader]["Location"] == reverse("readings:worklist")
    for who in ("cora", "ada"):
        assert "The loop" in answers[who].content.decode()


def test_only_admins_are_shown_the_way_to_exports(cora: User, ada: User) -> None:
    assert "Exports" not in [stage.name for stage in stages(cora, new_pairs=new_pairs())]
    assert "Exports" in [stage.name for stage in stages(ada, new_pairs=new_pairs())]


def test_an_empty_installation_asks_for_a_model_first_and_images_then(cora: User) -> None:
    step = next_step(cora, new_pairs=new_pairs())
    assert step is not None
    assert step.url == reverse("models")
    ModelVersion.objects.create(name="base", location="x", sha256="0" * 64)
    step = next_step(cora, new_pairs=new_pairs())
    assert step is not None
    assert step.url == reverse("images:console")
