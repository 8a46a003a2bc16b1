"""The demo as people run it: a process of its own, its pages used as a browser would."""

# ruff: noqa: RUF001 - letters that look alike are the point

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from argparse import Namespace
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from memoram_async import MemoramError
from memoram_local.demo.run import run

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from memoram_local.demo.stage import Stage

STEPS = [
    "API key",
    "JWT",
    "Authorization URL",
    "Consent",
    "Code",
    "Tokens",
    "Access request",
    "Approval",
    "Credentials",
]
ACTIONS = ["Store", "On the server", "Decrypted", "List", "Search", "Update", "Delete", "Tags"]

NASTY_TEXTS = [
    "Prefers window seats",
    "Предпочитает место у окна",
    "يفضل المقعد بجانب النافذة",
    "靠窗的座位，谢谢",
    "窓側の席が好き",
    "창가 자리를 좋아한다",
    "खिड़की वाली सीट पसंद है",
    "נוח לו ליד החלון",
    "👩🏽\u200d💻👨\u200d👩\u200d👧\u200d👦🏳\ufe0f\u200d🌈",
    "e\u0301a\u0308\u0323 \u1100\u1161\u11a8 Z\u0351\u036b\u0343\u036a",
    "a\x00b\x00",
    "\x00",
    "\u202eright to left\u202c \u2066isolated\u2069 \ufeff",
    "line\u2028separator\u2029and\x85more\r\n\ttext",
    '"quotes" \\back\\slashes\\ {"content": "json"} </script>',
    "𐎀𐎁𐎂 𝔘𝔫𝔦 \U0010ffff \uffff",
    "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..a.b.c",
    " ",
    "x" * 200_000,
    "長い文章。" * 13_000,
]
ODD_TAGS = [
    *("a,b", ",", "\x00", " ", " lead", "\n", "%2C", "a&b=c#?", "' OR 1=1 --", "null", "1", "x" * 200),
    *("travel", "Travel", "travel", "\u202e", "\u00e9", "e\u0301", "👩🏽\u200d💻"),
]


def nasty_lines() -> list[bytes]:
    lines: list[bytes] = []
    for number, text in enumerate(NASTY_TEXTS * 2):
        member: dict[str, Any] = {"content": text}
        if number % 2:
            member |= {
                "title": text[:300],
                "tags": ODD_TAGS[number % 7 :],
                "importance": 1e300,
                "source": text[:9],
            }
        if number % 3:
            member |= {
                "summary": text[-300:],
                "tags": ODD_TAGS[: number % 9],
                "importance": 1e300,
                "confidence": -0.5,
            }
        lines.append(json.dumps(member, ensure_ascii=number % 4 < 2).encode())
    return lines


BAD_LINES = {
    b"not json": "not JSON",
    b"[]": "not a JSON object",
    b"{}": "content is missing",
    b'{"content": ""}': "content is empty",
    b'{"content": 5}': "content is not text",
    b'{"content": "x", "importance": NaN}': "importance is not a finite number",
    b'{"content": "x", "tags": "travel"}': "tags is not a list",
    b'{"content": "\\ud800"}': "content holds half of a surrogate pair",
    b"\xff\xfe": "not UTF-8",
    json.dumps({"content": "x" * 1_048_577}).encode(): "content is larger than 1048576 octets of UTF-8",
}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "memoram_local", "demo", *arguments]


@contextmanager
def started(*arguments: str) -> Generator[subprocess.Popen[str]]:
    """The demo under way, its output read through a pipe; gone afterwards in any case."""
    with subprocess.Popen(  # noqa: S603 - our own program
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        try:
            yield process
        finally:
            process.kill()


class Finished:
    """What a demo that has ended left behind."""

    def __init__(self, process: subprocess.Popen[str], *, before: str = "") -> None:
        rest, self.err = process.communicate(timeout=60)
        self.out = before + rest
        self.status = process.returncode


@pytest.fixture(scope="module")
def nasty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "nasty \u2713.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + b"\r\n\n".join([*nasty_lines(), *BAD_LINES]))
    return path


def printed_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    raise AssertionError(f"{text!r} never came: {lines}")


def decide(process: subprocess.Popen[str], decision: str) -> str:
    """Sign in as the demo says, and press a button of its dashboard; what the demo had said."""
    out = printed_until(process, "Ctrl-C stops it.")
    url, email, password = (
        re.findall(rf"^ +{label} +(\S+)$", out, flags=re.MULTILINE)[0]
        for label in ("page", "email", "password")
    )
    origin = url.removesuffix("/dashboard")
    with httpx.Client(
        base_url=origin, headers={"origin": origin}, trust_env=False, follow_redirects=True
    ) as browser:
        form = {"email": email, "password": password, "next": "/dashboard"}
        dashboard = browser.post("/signin", data=form).text
        assert "Memoram demo" in dashboard
        browser.post(re.findall(rf'action="(\S+/{decision})"', dashboard)[0])
    return out


@pytest.fixture(scope="module")
def finished(nasty_file: Path) -> dict[str, Finished]:
    """Three demos side by side: with the sample, and with a person who approves nasty memories or rejects."""
    with (
        started() as sample,
        started("--interactive", "--memories", str(nasty_file)) as nasty,
        started("--interactive") as rejected,
    ):
        before = {"nasty": decide(nasty, "approve"), "rejected": decide(rejected, "reject")}
        return {
            "sample": Finished(sample),
            "nasty": Finished(nasty, before=before["nasty"]),
            "rejected": Finished(rejected, before=before["rejected"]),
        }


def test_the_sample_comes_back_equal(finished: dict[str, Finished]) -> None:
    demo = finished["sample"]
    assert demo.status == 0, demo.out + demo.err
    assert "\nALL EQUAL: 12 memories, through 2 SDKs; 0 lines left out; " in demo.out
    assert demo.out.rstrip().endswith("python -m memoram_local serve")


@pytest.mark.parametrize("sdk", ["memoram_async", "memoram_sync"])
def test_each_sdk_walks_the_nine_steps_and_then_uses_the_memories(
    finished: dict[str, Finished], sdk: str
) -> None:
    section = finished["sample"].out.partition(f"\n{sdk}\n")[2].partition("\n\n")[0]
    steps = re.findall(r"^  ([1-9])  (\S+(?: \S+)*)  ", section, flags=re.MULTILINE)
    assert steps == [(str(number), label) for number, label in enumerate(STEPS, start=1)]
    labels = re.findall(r"^     (\S+(?: \S+)*)  ", section, flags=re.MULTILINE)
    assert [label for label in labels if label in ACTIONS] == ACTIONS
    assert "12 memories read, decrypted and equal to the file" in section


def test_a_blob_is_shown_beside_its_memory_and_content_is_not_searched(finished: dict[str, Finished]) -> None:
    out = finished["sample"].out
    assert re.search(r"On the server +eyJ\S+ \([0-9]{3} characters\)\n +Decrypted +Books aisle seats", out)
    assert '"Seat preferences", in a title: 1 found' in out
    assert '"Books aisle", only in a content: 0 found' in out


def test_lines_fit_a_terminal(finished: dict[str, Finished]) -> None:
    assert max(map(len, finished["sample"].out.splitlines())) <= 100


@pytest.mark.parametrize("name", ["sample", "nasty"])
def test_a_pipe_gets_no_progress_bar(finished: dict[str, Finished], name: str) -> None:
    assert finished[name].err == ""
    assert "\r" not in finished[name].out


def test_no_secret_is_printed(finished: dict[str, Finished]) -> None:
    out = finished["sample"].out
    keys_and_tokens = (
        r"\bmk_|\bsecret_|\bmat_|\bmrt_|mem_[0-9a-f]{5}|[0-9a-f]{32}|eyJ[\w-]+\.eyJ|code=|state=|password"
    )
    assert re.findall(keys_and_tokens, out) == []


def test_nasty_memories_come_back_equal_and_bad_lines_are_named(finished: dict[str, Finished]) -> None:
    demo = finished["nasty"]
    assert demo.status == 0, demo.out + demo.err
    assert (
        f"ALL EQUAL: {len(nasty_lines())} memories, through 2 SDKs; {len(BAD_LINES)} lines left out"
        in demo.out
    )
    first = 2 * len(nasty_lines()) + 1
    for number, reason in enumerate(BAD_LINES.values()):
        assert f"  line {first + 2 * number} is left out: {reason}\n" in demo.out


def test_the_person_approves_on_the_dashboard(finished: dict[str, Finished]) -> None:
    out = finished["nasty"].out
    assert "  8  Approval            by you on the dashboard" in out
    assert "\n     Now with a second user, whose part the demo plays.\n" in out


def test_the_person_may_say_no(finished: dict[str, Finished]) -> None:
    demo = finished["rejected"]
    assert demo.status == 1
    assert "You said no" in demo.out
    assert "PROBLEM  memoram_async: the access request was rejected\n" in demo.out
    assert demo.err == ""


def test_ctrl_c_ends_it_at_once_and_the_platform_with_it() -> None:
    with started("--interactive") as process:
        out = printed_until(process, "Ctrl-C stops it.")
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        demo = Finished(process)
        seconds = time.monotonic() - began
    assert demo.status == 130
    assert demo.err == "\nmemoram-local demo: stopped\n"
    assert seconds < 2.0  # in practice 0.2
    url = re.findall(r"http://[\d.:]+", out)[0]
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


def test_a_reader_who_leaves_is_no_reason_for_a_traceback() -> None:
    with started() as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait() == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "holds no memory: it is empty"),
        (b"\n \n", "holds no memory: it is empty"),
        (b"{}\n", "holds no memory: line 1 is left out, because content is missing"),
        (b"{}\n[]\n[]", "holds no memory: line 1 is left out, because content is missing, and 2 more lines"),
    ],
)
def test_a_file_without_memories_is_one_line_and_status_2(
    content: bytes | None, message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "memories.jsonl"
    if content is not None:
        path.write_bytes(content)
    assert run(Namespace(memories=str(path), interactive=False)) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err == f"memoram-local demo: {path} {message}\n"


def test_a_directory_is_no_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(Namespace(memories=str(tmp_path), interactive=False)) == 2
    assert capfd.readouterr().err.endswith("cannot be read: Is a directory\n")


def test_what_differs_and_what_fails_is_named_and_status_1(capfd: pytest.CaptureFixture[str]) -> None:
    def walk(stage: Stage) -> None:
        stage.outcome.problems.append(f"line {stage.memories[2].line} came back different in content")
        raise MemoramError("the service went away")

    assert run(Namespace(memories=None, interactive=False), walks={"sdk": walk}) == 1
    out = capfd.readouterr().out
    assert "PROBLEM  sdk: line 3 came back different in content\n" in out
    assert "PROBLEM  sdk: the service went away\n" in out
    assert "NOT ALL EQUAL: 2 problems; " in out
