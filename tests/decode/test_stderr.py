"""What ig says beside its events."""

import pytest

from igpipe.decode import NoticeKind
from igpipe.decode.stderr import TEXT_LIMIT, from_kubelet, parse_text

_TIME = 'time="2026-08-21T12:48:31Z" '


@pytest.mark.parametrize(
    ("line", "kind", "text"),
    [
        (_TIME + "level=debug msg=running...", NoticeKind.READY, "running..."),
        (_TIME + 'level=debug msg="running..."', NoticeKind.READY, "running..."),
        ("DEBU[0003] running...                                  ", NoticeKind.READY, "running..."),
        (
            _TIME + 'level=warning msg="reading event: lost 827 samples"',
            NoticeKind.LOST,
            "reading event: lost 827 samples",
        ),
        (
            _TIME + 'level=warning msg="reading perf ring buffer: lost 827 samples"',
            NoticeKind.LOST,
            "reading perf ring buffer: lost 827 samples",
        ),
        (
            _TIME + 'level=warning msg="This gadget was built with ig v0.55.0 and it\'s being run"',
            NoticeKind.SKEW,
            "This gadget was built with ig v0.55.0 and it's being run",
        ),
        ("Error: initializing runtime: x", NoticeKind.ERROR, "Error: initializing runtime: x"),
        ("error: filesystems not mounted", NoticeKind.ERROR, "error: filesystems not mounted"),
        (_TIME + 'level=fatal msg="no luck"', NoticeKind.ERROR, "no luck"),
        ("FATA[0000] no luck", NoticeKind.ERROR, "no luck"),
        ("panic: runtime error: index", NoticeKind.ERROR, "panic: runtime error: index"),
        (_TIME + 'level=error msg="error reading event: x"', NoticeKind.OTHER, None),
        (
            _TIME + 'level=debug msg="adding tracer \\"exec\\"" container-client=containerd',
            NoticeKind.OTHER,
            'adding tracer "exec"',
        ),
        ("goroutine 1 [running]:", NoticeKind.OTHER, "goroutine 1 [running]:"),
        ("Usage:", NoticeKind.OTHER, "Usage:"),
        ("  -v, --verbose   Print debug", NoticeKind.OTHER, "-v, --verbose   Print debug"),
    ],
)
def test_a_line_of_the_log_is_understood(line: str, kind: NoticeKind, text: str | None) -> None:
    """Each kind is told from ig's own wording, in both of its log's forms."""
    notice = parse_text(line.encode())
    assert notice is not None
    assert (notice.kind, notice.text) == (kind, text or notice.text)


@pytest.mark.parametrize(
    "message",
    [
        "lost many samples",
        "lost 99999999999999999999999 samples",
        "lost -1 samples",
        "lost \u0661 samples",
        "we lost 5 samples",
        "lost 5 samples; really",
    ],
)
def test_only_igs_own_wording_is_loss(message: str) -> None:
    """Nothing that a node's processes are named can feign it."""
    notice = parse_text(f'{_TIME}level=warning msg="{message}"'.encode())
    assert notice is not None
    assert notice.kind is NoticeKind.OTHER


@pytest.mark.parametrize(
    "line",
    [
        'level=debug msg="tracer attached: container \\"x msg=running...\\""',
        'level=debug msg="running... or not"',
        'level=debug msg="x" other=running...',
    ],
)
def test_readiness_cannot_be_feigned_by_a_name(line: str) -> None:
    """The message as a whole is the marker."""
    notice = parse_text((_TIME + line).encode())
    assert notice is not None
    assert notice.kind is NoticeKind.OTHER


def test_text_is_escaped_and_cut() -> None:
    """What a notice holds can go to a terminal or page."""
    notice = parse_text(b"Error: \x1b[31m\xff" + b"x" * 2000)
    assert notice is not None
    assert notice.text.isprintable()
    assert notice.text.startswith("Error: \\x1b[31m")
    assert len(notice.text) <= TEXT_LIMIT + len("\\x1b") - 1


def test_the_kubelets_errors_are_told_by_their_beginning() -> None:
    """It writes them into the log that it sends, when headers are long gone."""
    assert from_kubelet(b"rpc error: code = NotFound desc = x")
    assert from_kubelet(b"unable to retrieve container logs for containerd://x")
    assert not from_kubelet(b"Error: rpc error: code = NotFound")
