"""The page's modules that compute, run by node: codec, sample rates, queue, handset, messages,
weather and record. Judged by Python's own codec, soxr and the server's parser, where there is one.
"""

import base64
import json
import subprocess
import wave
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import audioop
import numpy as np
import pytest
import soxr

from telephony.audio.formats import PHONE_RATE_HZ
from telephony.simulator import wire
from telephony.twilio.messages import Connected, Dtmf, Malformed, Mark, Media, Start, Stop, parse
from tests.programs import program

STATIC = files("telephony.browser_phone") / "static"

RATES_HZ = [8_000, 16_000, 44_100, 48_000, 96_000]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The modules, where node takes them for modules."""
    found = tmp_path_factory.mktemp("modules")
    (found / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    for file in STATIC.iterdir():
        (found / file.name).write_bytes(file.read_bytes())
    return found


class Node:
    """Runs a script beside the modules."""

    def __init__(self, folder: Path) -> None:
        self._node, self._folder = program("node"), folder

    def __call__(self, script: str) -> Any:
        """What the script gives to `tell`, as JSON."""
        whole = f"const tell = (what) => console.log(JSON.stringify(what));\n{script}"
        ran = subprocess.run(  # noqa: S603 - our own script
            [self._node, "--input-type=module", "-"],
            input=whole,
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)


@pytest.fixture
def node(folder: Path) -> Node:
    return Node(folder)


def test_the_codec_is_g711_for_every_sample_and_every_byte(node: Node) -> None:
    found = node("""
        const { encodeSample, DECODED } = await import("./ulaw.js");
        const coded = Uint8Array.from({ length: 65536 }, (_, n) => encodeSample(n - 32768));
        tell({ coded: Buffer.from(coded).toString("base64"), decoded: [...DECODED] });
    """)
    samples = np.arange(-32_768, 32_768).astype("<i2").tobytes()
    assert base64.b64decode(found["coded"]) == audioop.lin2ulaw(samples, 2)
    every = audioop.ulaw2lin(bytes(range(256)), 2)
    assert found["decoded"] == np.frombuffer(every, "<i2").tolist()


def test_what_is_too_loud_is_clipped(node: Node) -> None:
    found = node("""
        const { encode, decode } = await import("./ulaw.js");
        tell([...decode(encode(Float32Array.of(-9, -1, 0, 1, 9)))].map((x) => x * 32768));
    """)
    assert found == [-32_124, -32_124, 0, 32_124, 32_124]


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_any_chunks_of_the_same_sound_give_the_same_samples(node: Node, rate_hz: int) -> None:
    found = node(f"""
        const {{ Resampler }} = await import("./resample.js");
        const sound = Float32Array.from({{ length: {rate_hz} }}, (_, n) => Math.sin(n * n / 9e6));
        const whole = new Resampler({rate_hz}, 8000).push(sound);
        const equal = [1, 7, 128, 441, 5000].map((size) => {{
            const resampler = new Resampler({rate_hz}, 8000);
            const out = [];
            for (let at = 0; at < sound.length; at += size) {{
                out.push(...resampler.push(sound.subarray(at, at + size)));
            }}
            return out.length === whole.length && out.every((x, n) => x === whole[n]);
        }});
        tell({{ equal, count: whole.length }});
    """)
    assert found == {"equal": [True] * 5, "count": 8000}


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_speech_band_passes_as_in_soxr_and_what_is_above_is_gone(node: Node, rate_hz: int) -> None:
    for tone_hz in (300, 1000, 3400, 4600, 9000):
        seconds = np.arange(rate_hz) / rate_hz
        sound = 0.5 * np.sin(2 * np.pi * tone_hz * seconds)
        ours = np.array(
            node(f"""
                const {{ Resampler }} = await import("./resample.js");
                const sound = Float32Array.from({{ length: {rate_hz} }},
                    (_, n) => 0.5 * Math.sin(2 * Math.PI * {tone_hz} * n / {rate_hz}));
                tell([...new Resampler({rate_hz}, 8000).push(sound)]);
            """)
        )[400:-400]
        theirs = soxr.resample(sound, rate_hz, PHONE_RATE_HZ)[400:-400]
        if tone_hz <= 3400:
            assert 20 * np.log10(level(ours) / level(theirs)) == pytest.approx(0, abs=0.3)
        else:
            assert 20 * np.log10(level(ours) / 0.3536) < -50


def level(samples: Any) -> float:
    """The root of the mean square."""
    return float(np.sqrt(np.mean(np.square(samples))))


def test_the_queue_counts_samples_and_gives_marks_back_when_they_were_played(node: Node) -> None:
    found = node("""
        const { Playout } = await import("./playout.js");
        const queue = new Playout();
        queue.mark("at once");
        const log = [queue.due()];
        queue.append(new Uint8Array(200).fill(1));
        queue.mark("after 200");
        queue.append(new Uint8Array(100).fill(2));
        queue.mark("after 300");
        for (let n = 0; n < 3; n += 1) {
            const { ulaw, samples } = queue.frame();
            log.push([samples, ulaw.filter((x) => x === 1).length,
                ulaw.filter((x) => x === 2).length, ulaw.filter((x) => x === 255).length,
                queue.due()]);
        }
        tell(log);
    """)
    assert found == [
        ["at once"],
        [160, 160, 0, 0, []],
        [140, 40, 100, 20, []],
        [0, 0, 0, 160, ["after 200", "after 300"]],
    ]


def test_a_clear_drops_what_was_not_played_and_gives_every_mark_back(node: Node) -> None:
    found = node("""
        const { Playout } = await import("./playout.js");
        const queue = new Playout();
        queue.append(new Uint8Array(1000).fill(1));
        queue.mark("a");
        queue.frame();
        queue.append(new Uint8Array(1000).fill(1));
        queue.mark("b");
        const gone = queue.clear();
        const { samples } = queue.frame();
        queue.append(new Uint8Array(160).fill(3));
        tell({ gone, samples, due: queue.due(), next: queue.frame().samples });
    """)
    gone = {"dropped": 1840, "marks": ["a", "b"]}
    assert found == {"gone": gone, "samples": 0, "due": [], "next": 160}


def test_ten_minutes_are_queued_and_the_rest_is_discarded(node: Node) -> None:
    found = node("""
        const { Playout, CAPACITY } = await import("./playout.js");
        const queue = new Playout();
        tell([queue.append(new Uint8Array(CAPACITY)), queue.append(new Uint8Array(5))]);
    """)
    assert found == [0, 5]


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_handset_says_and_plays_frame_by_frame_and_never_runs_dry(
    node: Node, rate_hz: int
) -> None:
    found = node(f"""
        const {{ Handset }} = await import("./handset.js");
        const handset = new Handset({rate_hz});
        const tone = (n) => 0.5 * Math.sin(2 * Math.PI * 500 * n / {rate_hz});
        handset.playout.append(new Uint8Array(8000).fill(0x00)); // loud, and always the same
        handset.playout.mark("played");
        let frames = [], played = [], at = 0;
        while (at < 2 * {rate_hz}) {{
            const out = new Float32Array(128);
            frames.push(...handset.process(Float32Array.from(out, (_, n) => tone(at + n)), out));
            played.push(...out);
            at += 128;
        }}
        const {{ DECODED }} = await import("./ulaw.js");
        tell({{
            frames: frames.length,
            sizes: [...new Set(frames.flatMap((f) => [f.said.length, f.heard.length]))],
            mark: frames.findIndex((f) => f.marks.includes("played")),
            heard: frames.reduce((sum, f) => sum + f.samples, 0),
            said: frames.slice(5).flatMap((f) => [...f.said].map((x) => DECODED[x])),
            steady: played.slice({rate_hz} / 10, {rate_hz} * 9 / 10).map((x) => x * 32768),
        }});
    """)
    assert found["frames"] in {99, 100}
    assert found["sizes"] == [160]
    assert found["mark"] == 50  # 8000 samples are 50 frames: it comes with the frame behind them
    assert found["heard"] == 8000
    assert level(found["said"]) == pytest.approx(0.3536 * 32_768, rel=0.02)  # µ-law is coarse
    assert min(found["steady"]) == pytest.approx(-32_124, rel=0.001)
    assert max(found["steady"]) == pytest.approx(-32_124, rel=0.001)


def test_an_echo_and_a_muted_microphone(node: Node) -> None:
    found = node("""
        const { Handset } = await import("./handset.js");
        const { DECODED } = await import("./ulaw.js");
        const loudest = (echo, muted) => {
            const handset = new Handset(8000);
            handset.echo = echo;
            handset.muted = muted;
            handset.playout.append(new Uint8Array(16000).fill(0x10));
            const frames = handset.process(new Float32Array(8000).fill(muted ? 0.5 : 0),
                new Float32Array(8000));
            return Math.max(...frames.flatMap((f) => [...f.said].map((x) => Math.abs(DECODED[x]))));
        };
        tell([loudest(0, true), loudest(0, false), loudest(0.25, false) / DECODED[0x10]]);
    """)
    assert found[:2] == [0, 0]
    assert abs(found[2]) == pytest.approx(0.25, rel=0.03)


def test_the_servers_parser_understands_every_message(node: Node) -> None:
    found = node("""
        const { Line } = await import("./line.js");
        const line = new Line({ streamSid: "MZ1", callSid: "CA1", accountSid: "AC1",
            parameters: { token: "abc" } });
        const out = line.open();
        out.push(line.media(new Uint8Array(160).fill(7)));
        line.lose();
        out.push(line.media(new Uint8Array(160).fill(8)), line.mark("r1:2"), line.dtmf("#"),
            line.stop());
        tell(out);
    """)
    messages = [parse(text) for text in found]
    kinds = [Connected, Start, Media, Media, Mark, Dtmf, Stop]
    assert [type(message) for message in messages] == kinds
    start, first, second = messages[1], messages[2], messages[3]
    assert isinstance(start, Start)
    assert start.custom_parameters == {"token": "abc"}
    assert isinstance(first, Media)
    assert isinstance(second, Media)
    assert (first.payload, second.payload) == (bytes([7] * 160), bytes([8] * 160))
    assert second.timestamp_ms - first.timestamp_ms == 40  # what was lost took its time
    assert not any(isinstance(message, Malformed) for message in messages)


def test_the_messages_are_written_as_the_simulated_twilio_writes_them(node: Node) -> None:
    found = node("""
        const { Line } = await import("./line.js");
        const line = new Line({ streamSid: "MZ1", callSid: "CA1", accountSid: "AC1",
            parameters: {} });
        tell([...line.open(), line.media(new Uint8Array(160).fill(255)), line.dtmf("5"),
            line.mark("m"), line.stop()]);
    """)
    theirs = [
        wire.connected(),
        wire.start(1, "MZ1", "CA1", "AC1", {}),
        wire.media(2, "MZ1", 1, 0, b"\xff" * 160),
        wire.dtmf(3, "MZ1", "5"),
        wire.mark(4, "MZ1", "m"),
        wire.stop(5, "MZ1", "CA1", "AC1"),
    ]
    assert [json.loads(text) for text in found] == [json.loads(text) for text in theirs]


def test_what_twilio_would_warn_of_is_told_and_not_done(node: Node) -> None:
    found = node("""
        const { Line } = await import("./line.js");
        const line = new Line({ streamSid: "MZ1", callSid: "CA1", accountSid: "AC1",
            parameters: {} });
        const text = (more) => JSON.stringify({ streamSid: "MZ1", ...more });
        tell([
            new ArrayBuffer(3), "{", "3", text({ event: "dance" }), text({ event: "media" }),
            text({ event: "media", media: { payload: "%%" } }), text({ event: "mark", mark: {} }),
            JSON.stringify({ streamSid: "MZ2", event: "clear" }),
        ].map((each) => Object.keys(line.read(each))));
    """)
    assert found == [["problem"]] * 8


def test_what_the_server_sends_is_understood(node: Node) -> None:
    found = node("""
        const { Line } = await import("./line.js");
        const line = new Line({ streamSid: "MZ1", callSid: "CA1", accountSid: "AC1",
            parameters: {} });
        const text = (more) => JSON.stringify({ streamSid: "MZ1", ...more });
        tell([
            [...line.read(text({ event: "media", media: { payload: "AQL/" } })).media],
            line.read(text({ event: "mark", mark: { name: "r1:2" } })),
            line.read(text({ event: "clear" })),
        ]);
    """)
    assert found == [[1, 2, 255], {"mark": "r1:2"}, {"clear": True}]


def test_bad_weather_delays_in_order_and_loses_its_share(node: Node) -> None:
    found = node("""
        const { Weather } = await import("./weather.js");
        let seed = 1;
        const chance = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
        const fine = new Weather(chance);
        const calm = [0, 20, 40].map((now) => fine.delayMs("up", now));
        const bad = new Weather(chance);
        bad.jitterMs = 100;
        bad.lossPercent = 20;
        const due = [];
        for (let now = 0; now < 60000; now += 20) due.push(now + bad.delayMs("up", now));
        const lost = due.filter(() => bad.loses()).length / due.length;
        const stalling = new Weather(chance);
        stalling.stallMs = 700;
        const late = [];
        for (let now = 0; now < 60000; now += 20) late.push(stalling.delayMs("down", now));
        tell({
            calm,
            ordered: due.every((at, n) => n === 0 || at >= due[n - 1]),
            least: Math.min(...due.map((at, n) => at - 20 * n)),
            most: Math.max(...due.map((at, n) => at - 20 * n)),
            lost,
            longest: Math.max(...late),
            stalls: late.filter((x, n) => x > 0 && late[n - 1] === 0).length,
        });
    """)
    assert found["calm"] == [0, 0, 0]
    assert found["ordered"]
    assert found["least"] >= 0
    assert 50 < found["most"] < 100
    assert 0.15 < found["lost"] < 0.25
    assert found["longest"] == 700
    assert 6 <= found["stalls"] <= 20


def test_a_record_is_a_wav_file_of_both_sides(node: Node) -> None:
    found = node("""
        const { Record } = await import("./record.js");
        const { encodeSample, DECODED } = await import("./ulaw.js");
        const record = new Record();
        const side = (x) => new Uint8Array(160).fill(encodeSample(x));
        record.note("begin");
        record.add({ said: side(1000), heard: side(-2000), samples: 160 });
        record.note("key", { digit: "5" });
        tell({ wav: Buffer.from(record.wav()).toString("base64"), notes: record.notes });
    """)
    with wave.open(BytesIO(base64.b64decode(found["wav"]))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 2, 2)
        both = np.frombuffer(file.readframes(999), "<i2").reshape(-1, 2)
    assert both.shape == (160, 2)
    assert both[:, 0] == pytest.approx(1000, rel=0.02)
    assert both[:, 1] == pytest.approx(-2000, rel=0.02)
    assert found["notes"] == [{"kind": "begin", "at": 0}, {"kind": "key", "at": 160, "digit": "5"}]
