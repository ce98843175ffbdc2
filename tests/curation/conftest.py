"""A study that Rosa and Ravi read, and a simulated reader."""

import pytest

from feedback_app.accounts.models import User
from tests.curation.stage import Stage, set_stage


@pytest.fixture
def simon(db: None) -> User:
    """A simulated reader."""
    return User.objects.create_user("simon", first_name="Simon", is_simulated=True)


@pytest.fixture
def stage(rosa: User, ravi: User) -> Stage:
    """Four candidates; Rosa and Ravi may read each of them."""
    return set_stage(rosa, ravi)
