"""Workloads guessed from Pods' names."""

import pytest

from igpipe.decode import workload


@pytest.mark.parametrize(
    ("pod", "name"),
    [
        # Deployment
        ("cart-6d5f7c9b8-x2x7q", "cart"),
        ("coredns-5d78c9869d-4fk2p", "coredns"),
        ("coredns-6f6b679f8f-8s7x9", "coredns"),
        ("my-app-v2-7c5ddbdf54-zq9rt", "my-app-v2"),
        ("a-b-c-66b9d7-bbbbb", "a-b-c"),
        ("app-https-6d5f7c9b8-x2x7q", "app-https"),
        # ReplicaSet, DaemonSet, Job
        ("kube-proxy-tcbn4", "kube-proxy"),
        ("frontend-x2x7q", "frontend"),
        ("app-https-x2x7q", "app-https"),
        ("pi-5rwd7", "pi"),
        # indexed Job
        ("train-0-x2x7q", "train"),
        ("train-1234-x2x7q", "train"),
        # CronJob: minutes, and the seconds of old clusters
        ("backup-29145600-x2x7q", "backup"),
        ("backup-1600000000-x2x7q", "backup"),
        ("backup-29145600-3-x2x7q", "backup"),
        # StatefulSet
        ("api-0", "api"),
        ("web-https-12", "web-https"),
        ("db-2024-0", "db-2024"),
        # names that nobody appended to
        ("front-abc12", "front-abc12"),
        ("nginx", "nginx"),
        ("my-nginx", "my-nginx"),
        ("redis-master", "redis-master"),
        ("etcd-node.example", "etcd-node.example"),
        ("proxy-cache", "proxy-cache"),
        ("", ""),
        ("-x2x7q", "-x2x7q"),
        ("0", "0"),
        ("x-1234567", "x-1234567"),
        ("api-0\n", "api-0\n"),
        ("api-\u0663", "api-\u0663"),
        # the price: five characters that could have been drawn
        ("shop-pgsql", "shop"),
    ],
)
def test_what_controllers_append_is_taken_off(pod: str, name: str) -> None:
    """Each controller's way to name Pods, and words that must stay."""
    assert workload(pod) == name


def test_a_long_name_lost_its_hyphen() -> None:
    """Kubernetes cuts the base at 58 characters before it appends five."""
    name = "a-very-long-deployment-name-that-somebody-really-chose"
    assert workload((name + "-6d5f7c9b8-")[:58] + "x2x7q") == name
    assert workload((name + "-set-abcdefg")[:58] + "x2x7q") == (name + "-set-abcdefg")[:58]


def test_what_is_no_pods_name_is_left_alone() -> None:
    """A name longer than Kubernetes allows is neither parsed nor remembered."""
    hostile = "-1" * 100_000
    assert workload(hostile) is hostile
