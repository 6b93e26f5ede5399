"""The words that made-up events are made of."""

from typing import Final

NAMESPACES: Final = (
    "default", "kube-system", "monitoring", "payments", "checkout", "search", "ingress-nginx",
    "argocd", "cert-manager", "data-platform", "frontend", "ml-serving",
)  # fmt: skip
APPS: Final = (
    "api", "worker", "web", "cache", "redis", "postgres", "nginx", "scheduler", "gateway", "auth",
    "billing", "catalog", "orders", "metrics-agent", "log-router", "frontend", "indexer", "queue",
)  # fmt: skip
COMMS: Final = (
    "nginx", "python3", "java", "node", "redis-server", "postgres", "sh", "bash", "cat", "curl",
    "runc:[2:INIT]", "pause", "containerd-shim", "coredns", "envoy", "prometheus", "grafana",
    "kube-proxy", "etcd", "sleep", "grep", "git", "cron", "gunicorn: maste", "celery", "php-fpm",
    "mysqld", "mongod", "fluent-bit", "otelcol", "sidekiq", "puma: cluster w", "ruby", "dotnet",
    "health-check.s", "iptables-resto", "kubelet", "calico-node", "tini", "haproxy", "vault",
)  # fmt: skip
FILES: Final = (
    "/etc/ld.so.cache", "/lib/x86_64-linux-gnu/libc.so.6", "/etc/passwd", "/etc/resolv.conf",
    "/etc/hosts", "/proc/self/status", "/proc/meminfo", "/sys/fs/cgroup/memory.max", "/dev/null",
    "/usr/share/zoneinfo/UTC", "/etc/ssl/certs/ca-certificates.crt", "/var/log/app/access.log",
    "/usr/lib/python3.11/site-packages/requests/__init__.py", "/data/segments/{0:x}/{0:x}.idx",
    "/proc/{0}/stat", "/var/lib/postgresql/data/base/{0}/{0}", "/app/node_modules/{0:x}/main.js",
)  # fmt: skip
DOMAINS: Final = (
    "kubernetes.default.svc.cluster.local.", "redis.payments.svc.cluster.local.",
    "api.checkout.svc.cluster.local.", "loki-gateway.monitoring.svc.cluster.local.",
    "api.payments.example.com.", "www.example.org.", "{0:x}.example.net.",
)  # fmt: skip
FLAGS: Final = (
    ("O_RDONLY", 0),
    ("O_RDONLY|O_CLOEXEC", 524288),
    ("O_WRONLY|O_CREAT|O_TRUNC", 577),
    ("O_RDWR|O_CLOEXEC", 524290),
)
ERRORS: Final = (("", 0),) * 8 + (("ENOENT", 2), ("EACCES", 13))
USERS: Final = {0: "root", 101: "nginx", 999: "redis", 1000: "app", 65534: "nobody"}
PORTS: Final = (80, 443, 5432, 6379, 8080, 9090)
