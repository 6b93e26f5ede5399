"""Names that become names in Kubernetes."""

import pytest
from pydantic import ValidationError

from igpipe.config import ClusterConfig


@pytest.mark.parametrize("name", ["", "A", "-a", "a-", "a.b", "a" * 64])
def test_a_namespace_is_a_label_of_dns(name: str) -> None:
    """What the API server would refuse is refused here."""
    with pytest.raises(ValidationError):
        ClusterConfig(namespace=name)


@pytest.mark.parametrize("name", ["default", "a", "team-1"])
def test_an_instance_is_short(name: str) -> None:
    """It is part of a Lease's name and of a label."""
    assert ClusterConfig(instance=name).instance == name
    with pytest.raises(ValidationError):
        ClusterConfig(instance="a" * 41)
