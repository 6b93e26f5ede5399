"""
Prometheus' recording rules and alerts, made for a configuration. Pure.

No alert is about a sampled value: what runs on the nodes is seen in part only. They are about
igpipe, and about how much it sees.
"""

from igpipe.rules.groups import all_rules
from igpipe.rules.render import RULES_FILE, Naming, render_manifest, render_rules, rules_file
from igpipe.rules.rule import Alert, Group, Recording, Severity
from igpipe.rules.times import Times, span, times_of

__all__ = [
    "RULES_FILE",
    "Alert",
    "Group",
    "Naming",
    "Recording",
    "Severity",
    "Times",
    "all_rules",
    "render_manifest",
    "render_rules",
    "rules_file",
    "span",
    "times_of",
]
