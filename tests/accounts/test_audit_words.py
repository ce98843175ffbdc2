"""The audit log in words."""

from feedback_app.accounts.audit_words import action_in_words, details_in_words


def test_an_action_is_told_in_words() -> None:
    assert {action: action_in_words(action) for action in (
        "study.opened", "study.readers_added", "user.role_changed", "vlm_gate.asked", "logout",
        "policy.let_in", "something.new_here",
    )} == {
        "study.opened": "Study opened",
        "study.readers_added": "Study: readers added",
        "user.role_changed": "Person: role changed",
        "vlm_gate.asked": "VLM’s gate asked",
        "logout": "Logged out",
        "policy.let_in": "Images let into a policy",
        "something.new_here": "Something: new here",
    }  # fmt: skip


def test_details_are_told_in_words_and_keys_of_rows_are_not_told() -> None:
    added = {"model_version": "bundled", "readers": ["rosa", "ravi"], "cases": 12345, "gate": None}
    assert dict(details_in_words("study.readers_added", added)) == {
        "model version": "bundled", "readers": "rosa, ravi", "cases": "12,345",
    }  # fmt: skip
    changed = {"role": ["reader", "admin"], "is_staff": [False, True], "due_on": ["", "2026-12-01"]}
    assert dict(details_in_words("user.role_changed", changed)) == {
        "role": "reader → admin", "is staff": "no → yes", "due on": "– → 2026-12-01",
    }  # fmt: skip
    key = {"retraction": "0b6d25a4-0a57-4c7c-9d24-0f7e2b6a1c11", "reason": "Wrong studies."}
    assert dict(details_in_words("reader.retracted", key)) == {"reason": "Wrong studies."}
